//! What a step came to: the checks look at this and at the hops.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::deploy::{Deployed, Exposure};
use super::figure::Figure;
use super::world::StsCredentials;
use crate::agent::{FlowPage, Landing, Page};
use crate::evidence::{Hop, Ledger};
use crate::routing::Taken;

/// What a step came to.
#[derive(Debug, Default)]
pub struct Seen {
    /// The first hop of the step in the case's ledger.
    pub first: usize,
    /// Where a navigation ended.
    pub landing: Option<Landing>,
    /// The Authentik page it ended on.
    pub flow: Option<Box<FlowPage>>,
    /// What somebody refused.
    pub refused: Option<Refusal>,
    /// What `authorize` got.
    pub tokens: Option<TokenSet>,
    /// What `assume_role` got.
    pub credentials: Option<StsCredentials>,
    /// What `s3` got.
    pub s3: Option<S3Answer>,
    /// The routers that `route` found.
    pub routes: Option<Taken>,
    /// The lines of a component's log.
    pub log: Option<Vec<String>>,
    /// How long the gateway took to load what was written into its files, or for how long it was waited in vain.
    pub loaded: Option<Result<Duration, Duration>>,
    /// What strangers met during `deploy`.
    pub exposure: Option<Exposure>,
    /// What became of the file of `deploy`.
    pub deployed: Option<Deployed>,
    /// What was measured.
    pub figures: Vec<Figure>,
}

/// A refusal by the identity provider or a relying party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Who refused: `sign_in`, `authorize`, `token`, `userinfo`, `sts`.
    pub by: &'static str,
    /// The error's code, as given: `invalid_grant`, `InvalidParameterValue`, `invalid`.
    pub code: String,
    /// The error's text, as given.
    pub message: String,
    /// The hop.
    pub hop: usize,
}

/// Every claim set of an OIDC login.
#[derive(Clone, Debug)]
pub struct TokenSet {
    /// The app.
    pub app: String,
    /// The raw tokens, by name.
    pub raw: Vec<(&'static str, SecretString)>,
    /// The id token's header.
    pub header: Map<String, Value>,
    /// The id token's claims.
    pub id_token: Value,
    /// The access token's claims, when it is a JWT.
    pub access_token: Value,
    /// The userinfo answer.
    pub userinfo: Value,
    /// The discovery document.
    pub discovery: Value,
    /// The key set.
    pub jwks: Value,
    /// Whether the id token's signature is good under the key set (or the client secret), and why not.
    pub signature: Result<(), String>,
}

/// What an S3 operation gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Answer {
    /// The HTTP status.
    pub status: u16,
    /// The error code in the body: `AccessDenied`.
    pub code: Option<String>,
    /// The hop.
    pub hop: usize,
}

impl Seen {
    /// A step that begins at the end of `ledger`.
    pub fn at(ledger: &Ledger) -> Self {
        Self { first: ledger.hops.len(), ..Self::default() }
    }

    /// The hops of the step.
    pub fn hops<'l>(&self, ledger: &'l Ledger) -> &'l [Hop] {
        ledger.hops.get(self.first..).unwrap_or_default()
    }

    /// The hop that the step rests on: the landing, else the last one made.
    pub fn resting<'l>(&self, ledger: &'l Ledger) -> Option<&'l Hop> {
        match self.landing.as_ref().and_then(Landing::hop) {
            Some(hop) => ledger.hop(hop),
            None => self.hops(ledger).last(),
        }
    }

    /// The last JSON body of the step, with its hop.
    pub fn last_json(&self, ledger: &Ledger) -> Option<(usize, Value)> {
        let json = |hop: &Hop| Some((hop.index, hop.response()?.json()?));
        self.hops(ledger).iter().rev().find_map(json)
    }

    /// The page that the step rests on.
    pub fn page(&self, ledger: &Ledger) -> Page {
        if let Some(flow) = &self.flow {
            return flow.page();
        }
        if let Some(hop) = self.resting(ledger) {
            if let Some(report) = ledger.arrived(hop) {
                return Page::Backend(report);
            }
            if ledger.backends.answers_silently(hop) {
                return Page::Backend(Value::Null);
            }
        }
        self.landing.as_ref().map_or(Page::Other, |landing| match landing.page(ledger) {
            Page::Backend(_) => Page::Other,
            page => page,
        })
    }
}
