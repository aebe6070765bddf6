//! `refused`: who refused, and with which words.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};

use super::expect::{Check, CheckFuture, differs};
use crate::scenario::Text;
use crate::steps::{Parts, Seen, World};

/// A refusal; what is not written does not count.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Who: `sign_in`, `authorize`, `token`, `sts`.
    by: Located<Text>,
    /// The code, as given.
    #[serde(default)]
    code: Option<Located<Text>>,
    /// The words, as given.
    #[serde(default)]
    message: Option<Located<Text>>,
}

impl Check for Refused {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.text(&self.by);
        parts.texts(self.code.iter().chain(&self.message));
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let Some(refusal) = &seen.refused else {
                let hop = seen.resting(&world.ledger).map(|hop| hop.index);
                let expected = format!("refused by {}", world.text(&self.by)?);
                return Ok(differs("the outcome", expected, "let through", place, hop).into_iter().collect());
            };
            let hop = Some(refusal.hop);
            let mut findings = Vec::new();
            findings.extend(differs("refused by", world.text(&self.by)?, refusal.by, self.by.place, hop));
            for (what, wanted, got) in
                [("code", &self.code, &refusal.code), ("message", &self.message, &refusal.message)]
            {
                if let Some(wanted) = wanted {
                    findings.extend(differs(what, world.text(wanted)?, got, wanted.place, hop));
                }
            }
            Ok(findings)
        })
    }
}
