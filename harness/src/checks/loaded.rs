//! `loaded`: whether the gateway has taken what a step wrote into its files.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::Place;

use super::expect::{Check, CheckFuture, Finding, only_true};
use crate::steps::{Parts, Seen, StepError, World};

/// `true`: the gateway has loaded the files as they are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Loaded(
    #[serde(deserialize_with = "only_true")]
    #[schemars(with = "bool")]
    (),
);

impl Check for Loaded {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, _: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let Some(loaded) = seen.loaded else {
                return Err(StepError::Missing("`loaded` needs a step that writes Traefik's files".into()));
            };
            Ok(loaded.err().map(|limit| not_loaded(limit, place)).into_iter().collect())
        })
    }
}

/// That the gateway has not taken what was written within `limit`.
pub(super) fn not_loaded(limit: Duration, place: Place) -> Finding {
    Finding {
        check: "",
        what: "the gateway".to_owned(),
        expected: "the files as they are loaded".to_owned(),
        got: format!("not within {} ms", limit.as_millis()),
        place,
        hop: None,
    }
}
