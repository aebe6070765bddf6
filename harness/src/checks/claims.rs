//! `claims`, `signature`: what the tokens of `authorize` say.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use ssoproof_deployment::{Located, Place};

use super::expect::{Check, CheckFuture, differs};
use super::json::{Values, compare};
use crate::steps::{Parts, Seen, TokenSet, World};

/// Values by JMESPath expression, for each claim set.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Claims(BTreeMap<ClaimSet, Values>);

/// Whether the id token's signature, audience, issuer and nonce are good.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// They are.
    Good,
    /// They are not.
    Bad,
}

/// A claim set of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ClaimSet {
    /// The header of the id token.
    Header,
    /// The id token.
    IdToken,
    /// The access token.
    AccessToken,
    /// The userinfo answer.
    Userinfo,
    /// The discovery document.
    Discovery,
    /// The key set.
    Jwks,
}

impl ClaimSet {
    fn of(self, tokens: &TokenSet) -> (&'static str, Value) {
        match self {
            Self::Header => ("header: ", Value::Object(tokens.header.clone())),
            Self::IdToken => ("id_token: ", tokens.id_token.clone()),
            Self::AccessToken => ("access_token: ", tokens.access_token.clone()),
            Self::Userinfo => ("userinfo: ", tokens.userinfo.clone()),
            Self::Discovery => ("discovery: ", tokens.discovery.clone()),
            Self::Jwks => ("jwks: ", tokens.jwks.clone()),
        }
    }
}

impl Check for Claims {
    fn parts(&self, _: Place, parts: &mut Parts) {
        self.0.values().flat_map(BTreeMap::values).for_each(|template: &Located<_>| parts.template(template));
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let hop = seen.hops(&world.ledger).last().map(|hop| hop.index);
            let Some(tokens) = &seen.tokens else {
                return Ok(differs("tokens", "given", refusal(seen), place, hop).into_iter().collect());
            };
            let mut findings = Vec::new();
            for (set, values) in &self.0 {
                let (name, document) = set.of(tokens);
                findings.extend(compare(values, &document, name, hop, &world.scope)?);
            }
            Ok(findings)
        })
    }
}

impl Check for Signature {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let hop = seen.hops(&world.ledger).last().map(|hop| hop.index);
            let got = match seen.tokens.as_ref().map(|tokens| &tokens.signature) {
                None => refusal(seen),
                Some(Ok(())) => "good".to_owned(),
                Some(Err(reason)) => format!("bad: {reason}"),
            };
            let as_expected = match self {
                Self::Good => got == "good",
                Self::Bad => got.starts_with("bad"),
            };
            let expected = if matches!(self, Self::Good) { "good" } else { "bad" };
            Ok((!as_expected)
                .then(|| differs("signature", expected, got, place, hop))
                .flatten()
                .into_iter()
                .collect())
        })
    }
}

/// Why there are no tokens.
fn refusal(seen: &Seen) -> String {
    seen.refused.as_ref().map_or_else(
        || "none".to_owned(),
        |refusal| format!("refused by {}: {} {}", refusal.by, refusal.code, refusal.message),
    )
}
