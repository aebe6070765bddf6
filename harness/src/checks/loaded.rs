//! `loaded`: whether the gateway has taken what a step wrote into its files.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use ssoproof_deployment::Place;

use super::expect::{Check, CheckFuture, Finding};
use crate::steps::{Parts, Seen, StepError, World};

/// `true`: the gateway has loaded the files as they are.
#[derive(Clone, Debug, JsonSchema)]
pub struct Loaded(#[schemars(with = "bool")] ());

impl<'de> Deserialize<'de> for Loaded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            Ok(Self(()))
        } else {
            Err(D::Error::custom("only `true` can be expected"))
        }
    }
}

impl Check for Loaded {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, _: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let Some(loaded) = seen.loaded else {
                return Err(StepError::Missing("`loaded` needs a step that writes Traefik's files".into()));
            };
            let Err(limit) = loaded else { return Ok(Vec::new()) };
            Ok(vec![Finding {
                check: "",
                what: "the gateway".to_owned(),
                expected: "the files as they are loaded".to_owned(),
                got: format!("not within {} ms", limit.as_millis()),
                place,
                hop: None,
            }])
        })
    }
}
