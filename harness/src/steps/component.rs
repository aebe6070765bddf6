//! `component`: stops, starts, restarts or freezes a component of the stack, or reads its log.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::Place;

use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::{Seen, World};
use crate::scenario::Text;
use crate::stacks::Reach;

/// What is done to which component: `postgres`, `redis`, `authentik-server`, `authentik-worker`, `traefik`. The case
/// leaves every component running, whatever happens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Stops it, as an operator would.
    Stop(Text),
    /// Starts it again.
    Start(Text),
    /// Stops it and starts it again.
    Restart(Text),
    /// Freezes it: its connections stay open, and nothing answers.
    Pause(Text),
    /// Lets it go on.
    Resume(Text),
    /// Reads what it has logged since the case began, for `log`.
    Log(Text),
}

impl Verb for Control {
    fn parts(&self, place: Place, parts: &mut Parts) {
        let (Self::Stop(name)
        | Self::Start(name)
        | Self::Restart(name)
        | Self::Pause(name)
        | Self::Resume(name)
        | Self::Log(name)) = self;
        parts.text_at(name, place);
    }

    /// A log has the lines of every case, so that reading it takes a stack for itself as well.
    fn reach(&self) -> Reach {
        Reach::Setup
    }

    fn by_actor(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let Some(control) = world.stack.control() else {
                let kind = world.stack.kind();
                return Err(StepError::Missing(format!("the {kind} stack has no components to control")));
            };
            let mut seen = Seen::at(&world.ledger);
            let done = match self {
                Self::Stop(name) => control.stop(&name.string(&world.scope)?).await,
                Self::Start(name) => control.start(&name.string(&world.scope)?).await,
                Self::Restart(name) => control.restart(&name.string(&world.scope)?).await,
                Self::Pause(name) => control.pause(&name.string(&world.scope)?).await,
                Self::Resume(name) => control.resume(&name.string(&world.scope)?).await,
                Self::Log(name) => {
                    let lines = control.log_since(&name.string(&world.scope)?, world.began).await;
                    lines.map(|lines| seen.log = Some(lines))
                }
            };
            done.map_err(|error| StepError::Broken(error.to_string()))?;
            Ok(seen)
        })
    }
}
