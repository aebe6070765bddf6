//! `route`: which router takes a request, from the Traefik files alone.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::Place;

use super::step::{Parts, Step, StepFuture, Verb};
use super::world::parse_url;
use super::{Seen, World};
use crate::routing::{Routing, Taken};
use crate::scenario::Text;

/// The URL of a GET.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Route(Text);

impl Verb for Route {
    fn parts(&self, place: Place, parts: &mut Parts) {
        parts.text_at(&self.0, place);
    }

    fn by_actor(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let url = parse_url(&self.0.string(&world.scope)?)?;
            let routing = Routing::read(world.deployment, world.stack.traefik_files());
            let mut seen = Seen::at(&world.ledger);
            // With a bad file Traefik takes none of the folder, so no router takes the request.
            seen.routes = Some(routing.map_or_else(|_| Taken::default(), |routing| routing.taken(&url)));
            Ok(seen)
        })
    }
}
