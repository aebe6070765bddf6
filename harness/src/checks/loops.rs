//! `no_loop`, `cycle`: whether the actor goes round.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use ssoproof_deployment::Place;

use super::expect::{Check, CheckFuture, differs};
use crate::evidence::loops::LoopKind;
use crate::evidence::{Hop, LoopReport, detect};
use crate::steps::{Parts, Seen, StepError, World};

/// `true`: the actor does not go round, in this step and those before it.
#[derive(Clone, Debug, JsonSchema)]
pub struct NoLoop(#[schemars(with = "bool")] ());

/// The actor goes round in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// Redirects without end.
    Redirects,
    /// The visit after a sign-out signs in silently.
    SignOutUndone,
    /// Every visit signs in silently again.
    SilentSignInAgain,
}

impl<'de> Deserialize<'de> for NoLoop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            Ok(Self(()))
        } else {
            Err(D::Error::custom("to expect a loop write `cycle`"))
        }
    }
}

impl From<LoopKind> for Cycle {
    fn from(kind: LoopKind) -> Self {
        match kind {
            LoopKind::Redirects => Self::Redirects,
            LoopKind::SignOutUndone => Self::SignOutUndone,
            LoopKind::SilentSignInAgain => Self::SilentSignInAgain,
        }
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Redirects => "redirects without end",
            Self::SignOutUndone => "a sign-out that the next visit undoes",
            Self::SilentSignInAgain => "a silent sign-in at every visit",
        })
    }
}

/// The loop in the hops of the acting actor, all steps so far together.
fn of_actor(world: &mut World<'_>) -> Result<Option<LoopReport>, StepError> {
    let (actor, ledger) = world.actor_and_ledger()?;
    let hops: Vec<&Hop> = ledger.of_actor(&actor.agent.name).collect();
    Ok(detect(&hops))
}

impl Check for NoLoop {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, _: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let Some(report) = of_actor(world)? else { return Ok(Vec::new()) };
            let hop = Some(report.start);
            Ok(differs("the way", "no loop", report.description, place, hop).into_iter().collect())
        })
    }
}

impl Check for Cycle {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, _: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let report = of_actor(world)?;
            if report.as_ref().is_some_and(|report| Self::from(report.kind) == *self) {
                return Ok(Vec::new());
            }
            let hop = report.as_ref().map(|report| report.start);
            let got = report.map_or_else(|| "no loop".to_owned(), |report| report.description);
            Ok(differs("the way", self, got, place, hop).into_iter().collect())
        })
    }
}
