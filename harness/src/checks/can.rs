//! `can`, `cannot`: what MinIO's credentials let the actor do.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};

use super::Finding;
use super::expect::{Check, CheckFuture, differs};
use crate::steps::{Parts, S3, Seen, StepError, Verb as _, World};

/// Operations that succeed, in this order.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Can(Vec<Located<S3>>);

/// Operations that are refused with `AccessDenied`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Cannot(Vec<Located<S3>>);

async fn try_all(
    operations: &[Located<S3>],
    allowed: bool,
    world: &mut World<'_>,
) -> Result<Vec<Finding>, StepError> {
    let mut findings = Vec::new();
    for operation in operations {
        let answer = operation.perform(world).await?;
        let target = world.text(operation.target())?;
        let got = match (answer.status, answer.code.as_deref()) {
            (200..=299, _) => "allowed".to_owned(),
            (403, Some("AccessDenied")) => "denied".to_owned(),
            (status, code) => format!("{status} {}", code.unwrap_or_default()),
        };
        let expected = if allowed { "allowed" } else { "denied" };
        let words = operation.words(&target);
        findings.extend(differs(words, expected, got, operation.place, Some(answer.hop)));
    }
    Ok(findings)
}

impl Check for Can {
    fn parts(&self, _: Place, parts: &mut Parts) {
        self.0.iter().for_each(|operation| parts.text(operation.target()));
    }

    fn mutates(&self) -> bool {
        self.0.iter().any(|operation| operation.mutates())
    }

    fn run<'a>(&'a self, _: Place, _: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(try_all(&self.0, true, world))
    }
}

impl Check for Cannot {
    fn parts(&self, _: Place, parts: &mut Parts) {
        self.0.iter().for_each(|operation| parts.text(operation.target()));
    }

    fn mutates(&self) -> bool {
        self.0.iter().any(|operation| operation.mutates())
    }

    fn run<'a>(&'a self, _: Place, _: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(try_all(&self.0, false, world))
    }
}
