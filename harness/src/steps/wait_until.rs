//! `wait_until`: repeats a step until what it expects holds.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};
use tokio::time::{Instant, MissedTickBehavior};

use super::World;
use super::step::{Parts, Step, StepError, StepFuture, Verb};
use crate::checks;
use crate::stacks::Reach;

/// How often the step is repeated.
const EVERY: Duration = Duration::from_millis(50);

/// A step, and how long it may take to hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitUntil {
    /// The step, with what it expects.
    step: Box<Located<Step>>,
    /// The longest time, in seconds.
    #[serde(default = "ten")]
    within: u64,
}

fn ten() -> u64 {
    10
}

impl WaitUntil {
    /// The step it repeats.
    pub fn inner(&self) -> &Located<Step> {
        &self.step
    }
}

impl Verb for WaitUntil {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.variables.extend(self.step.parts().variables);
    }

    fn reach(&self) -> Reach {
        self.step.verb().map_or(Reach::Own, |(_, _, verb)| verb.reach())
    }

    fn by_actor(&self) -> bool {
        self.step.verb().is_some_and(|(_, _, verb)| verb.by_actor())
    }

    /// The hops of every try but the last are dropped; what the last one fell short of is what fails.
    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let deadline = Instant::now() + world.limit(self.within);
            let mut tick = tokio::time::interval(EVERY);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                let before = world.ledger.hops.len();
                let Some((_, _, verb)) = self.step.verb() else {
                    return Err(StepError::Missing("`wait_until` without a verb".into()));
                };
                let seen = verb.run(&self.step, world).await?;
                let findings = match &self.step.expect {
                    Some(expect) => checks::run(expect, &seen, world).await?,
                    None => Vec::new(),
                };
                if findings.is_empty() || Instant::now() >= deadline {
                    return Ok(seen);
                }
                world.ledger.hops.truncate(before);
            }
        })
    }
}
