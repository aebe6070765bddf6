//! `fault`: lets a fault of the catalogue come, or go, while the stack runs.

use std::borrow::Cow;
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use ssoproof_deployment::Place;
use ssoproof_embedded::faults::{self, Fault};

use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::{Seen, World};
use crate::stacks::{Reach, StackError};

/// The word that lets a fault go.
const NONE: &str = "none";

/// A fault that comes in the place of the one before; none lets it go, and wires and Traefik's files are as they were
/// before it. What it has led to stays.
#[derive(Clone, Copy, Debug)]
pub struct SwitchFault(pub Option<&'static Fault>);

/// The words there are.
static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let coming = faults::all().filter(|fault| fault.comes_and_goes());
    [NONE].into_iter().chain(coming.map(|fault| fault.name)).collect()
});

impl<'de> Deserialize<'de> for SwitchFault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match faults::find(&name) {
            _ if name == NONE => Ok(Self(None)),
            Some(fault) if fault.comes_and_goes() => Ok(Self(Some(fault))),
            Some(_) => Err(D::Error::custom(format!(
                "fault `{name}` lies in how the stack is started: see it with `--fault {name}`"
            ))),
            None => Err(D::Error::unknown_variant(&name, &WORDS)),
        }
    }
}

impl JsonSchema for SwitchFault {
    fn schema_name() -> Cow<'static, str> {
        "SwitchFault".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A fault that comes while the stack runs, or `none`, which lets it go.",
            "enum": *WORDS,
        })
    }
}

impl Verb for SwitchFault {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn reach(&self) -> Reach {
        Reach::Faults
    }

    fn by_actor(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            world.stack.switch_fault(self.0).map_err(|error| match error {
                StackError::Unswitched | StackError::Fault { .. } => {
                    StepError::Unsupported(error.to_string())
                }
                error => StepError::Broken(error.to_string()),
            })?;
            world.ledger.switched.push((world.ledger.hops.len(), self.0.is_some()));
            Ok(Seen::at(&world.ledger))
        })
    }
}
