//! `use`: the steps of another file.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::Place;

use super::World;
use super::step::{Parts, Step, StepError, StepFuture, Verb};

/// The file, relative to the one that names it, or of the library: `library/api/steps/outpost.yaml`. Loading puts its
/// steps in place of this one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Use(pub PathBuf);

impl Verb for Use {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn by_actor(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, _: &'a Step, _: &'a mut World<'_>) -> StepFuture<'a> {
        let path = self.0.display().to_string();
        Box::pin(
            async move { Err(StepError::Broken(format!("the steps of `{path}` were not put in place"))) },
        )
    }
}
