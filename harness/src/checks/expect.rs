//! What a step expects: any number of checks.

use std::fmt;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use ssoproof_deployment::{Located, Place};

use super::{
    backend, can, claims, cookies, ends, exposure, header_bytes, hops, html, json, limits, loaded, log,
    loops, patched, policies, refused, role, router,
};
use crate::steps::{Parts, Seen, StepError, World};

/// What one check looks at.
pub trait Check: fmt::Debug + Send + Sync {
    /// Lists the texts in it, so that their variables can be looked up before anything runs.
    fn parts(&self, place: Place, parts: &mut Parts);

    /// Whether looking changes something that outlasts the actor's browser.
    fn mutates(&self) -> bool {
        false
    }

    /// Looks, and says what is not as expected.
    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a>;
}

/// What a check returns.
pub type CheckFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<Finding>, StepError>> + Send + 'a>>;

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check's key.
    pub check: &'static str,
    /// What was looked at: `status`, `header x-authentik-username`.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What there is.
    pub got: String,
    /// Where the expectation stands.
    pub place: Place,
    /// The hop it was seen at.
    pub hop: Option<usize>,
}

/// Reads `true`, for a check of which only that can be expected.
pub(super) fn only_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    if bool::deserialize(deserializer)? {
        Ok(())
    } else {
        Err(D::Error::custom("only `true` can be expected"))
    }
}

macro_rules! checks {
    ($($(#[$meta:meta])* $field:ident: $shape:ty;)*) => {
        /// What must hold after a step.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Expect {
            $($(#[$meta])* #[serde(default)] pub $field: Option<Located<$shape>>,)*
        }

        impl Expect {
            fn given(&self) -> Vec<(&'static str, Place, &dyn Check)> {
                let mut given: Vec<(&'static str, Place, &dyn Check)> = Vec::new();
                $(if let Some(check) = &self.$field { given.push((stringify!($field), check.place, &check.value)); })*
                given
            }
        }
    };
}

checks! {
    /// Where the browser rests, and what it shows.
    ends: ends::Ends;
    /// Hops in this order, others between them allowed.
    hops: hops::Hops;
    /// What the service received.
    backend: backend::Backend;
    /// What a service received to which `-`, `_` and `.` in a header's name are one.
    folded: backend::Folded;
    /// The most bytes of headers that the service got.
    header_bytes: header_bytes::HeaderBytes;
    /// Whether a service was reached at all.
    reached: backend::Reached;
    /// What the service's report says, by JMESPath.
    report: json::Report;
    /// The actor's cookies for the page.
    cookies: cookies::Cookies;
    /// What the page holds, by CSS selector.
    html: html::Html;
    /// What the last JSON body holds, by JMESPath.
    json: json::Json;
    /// What the tokens of `authorize` say, by JMESPath.
    claims: claims::Claims;
    /// Whether the id token's signature is good.
    signature: claims::Signature;
    /// Who refused, and with which words.
    refused: refused::Refused;
    /// The role that Grafana gives the actor.
    role: role::Role;
    /// The policies that MinIO's credentials stand for.
    policies: policies::Policies;
    /// What the credentials let the actor do in S3.
    can: can::Can;
    /// What they do not.
    cannot: can::Cannot;
    /// The router that takes the request of `route`.
    router: router::OneRouter;
    /// Every router that could take some request of the host.
    routers: router::AllRouters;
    /// What the log read by `component` says.
    log: log::Log;
    /// For how long strangers were let in during `deploy`, and how many.
    exposure: exposure::Exposure;
    /// What was made of the file of `deploy`.
    patched: patched::Patched;
    /// Whether the gateway has loaded what was written.
    loaded: loaded::Loaded;
    /// The most hops of the step.
    max_hops: limits::MaxHops;
    /// Whether the actor goes round.
    no_loop: loops::NoLoop;
    /// The cycle that the actor is caught in.
    cycle: loops::Cycle;
}

impl Expect {
    /// Lists the texts of every check.
    pub fn parts(&self, parts: &mut Parts) {
        for (_, place, check) in self.given() {
            check.parts(place, parts);
        }
    }

    /// Whether a check of it changes something that outlasts the actor's browser.
    pub fn mutates(&self) -> bool {
        self.given().into_iter().any(|(_, _, check)| check.mutates())
    }

    /// The key of every check, in the order of the schema.
    pub fn keys(&self) -> Vec<&'static str> {
        self.given().into_iter().map(|(key, _, _)| key).collect()
    }

    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.given().is_empty()
    }
}

/// Runs every check of `expect`.
///
/// # Errors
/// [`StepError`] when a check cannot be carried out.
pub async fn run(expect: &Expect, seen: &Seen, world: &mut World<'_>) -> Result<Vec<Finding>, StepError> {
    let mut findings = Vec::new();
    for (key, place, check) in expect.given() {
        let found = check.run(place, seen, world).await?;
        findings.extend(found.into_iter().map(|finding| Finding { check: key, ..finding }));
    }
    Ok(findings)
}

/// A finding when `got` is not `expected`.
pub(super) fn differs(
    what: impl Into<String>,
    expected: impl fmt::Display,
    got: impl fmt::Display,
    place: Place,
    hop: Option<usize>,
) -> Option<Finding> {
    let (expected, got) = (expected.to_string(), got.to_string());
    (expected != got).then(|| Finding { check: "", what: what.into(), expected, got, place, hop })
}
