//! `visit`: navigates like a browser.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::Place;

use super::sign_in;
use super::step::{Parts, Step, StepFuture, Verb};
use super::world::parse_url;
use super::{Seen, World};
use crate::agent::Outgoing;
use crate::scenario::Text;

/// The URL to type into the address bar.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Visit(Text);

impl Verb for Visit {
    fn parts(&self, place: Place, parts: &mut Parts) {
        parts.text_at(&self.0, place);
    }

    fn may_sign_in(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, step: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let url = parse_url(&self.0.string(&world.scope)?)?;
            navigate(Outgoing::get(url), step, world).await
        })
    }
}

/// Navigates, and signs in when the step says so and the browser rests on the login page.
pub(super) async fn navigate(
    start: Outgoing,
    step: &Step,
    world: &mut World<'_>,
) -> Result<Seen, super::StepError> {
    let mut seen = Seen::at(&world.ledger);
    let (actor, ledger) = world.actor_and_ledger()?;
    let (landing, flow) = actor.agent.visit(start, ledger).await;
    seen.landing = Some(landing);
    seen.flow = flow.map(Box::new);
    if let Some(how) = &step.sign_in {
        sign_in::at_login_page(how, &mut seen, world).await?;
    }
    Ok(seen)
}
