//! `max_hops`: how long the way may be.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::Place;

use super::expect::{Check, CheckFuture, differs};
use crate::evidence::{Cause, Hop};
use crate::steps::{Parts, Seen, World};

/// The most hops of the browser in the step; the flow executor's and programs' calls do not count.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MaxHops(usize);

impl Check for MaxHops {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let executor = "/api/v3/flows/executor/";
            let browser =
                |hop: &&Hop| hop.cause != Cause::Api && !hop.request.url.path().starts_with(executor);
            let count = seen.hops(&world.ledger).iter().filter(browser).count();
            if count <= self.0 {
                return Ok(Vec::new());
            }
            let last = world.ledger.hops.len().checked_sub(1);
            Ok(differs("hops", format!("at most {}", self.0), count, place, last).into_iter().collect())
        })
    }
}
