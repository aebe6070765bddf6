//! `role`: the role that Grafana gives the actor.

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::Place;
use url::Url;

use super::expect::{Check, CheckFuture, differs};
use crate::agent::Outgoing;
use crate::evidence::Cause;
use crate::scenario::Text;
use crate::steps::{Parts, Seen, StepError, World};

/// The role in the actor's organisation: `Viewer`, `Editor`, `Admin`, or `none` without a session.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Role(Text);

impl Check for Role {
    fn parts(&self, place: Place, parts: &mut Parts) {
        parts.text_at(&self.0, place);
    }

    /// Asks Grafana with the actor's cookies, as its pages do: `GET /api/user/orgs`.
    fn run<'a>(&'a self, place: Place, _: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let expected = self.0.string(&world.scope)?;
            let grafana = world.deployment.apps.grafana.as_ref();
            let base = grafana.ok_or_else(|| StepError::Missing("the deployment has no Grafana".into()))?;
            let page = Url::parse(&base.url).map_err(|error| StepError::Url {
                text: base.url.value.clone(),
                reason: error.to_string(),
            })?;
            let url = page.join("/api/user/orgs").unwrap_or_else(|_| page.clone());
            let (actor, ledger) = world.actor_and_ledger()?;
            let request = Outgoing::fetch(Method::GET, url, page);
            let hop = actor.agent.exchange(request, Cause::Api, ledger).await;
            let orgs = ledger.response(hop).and_then(|response| response.json()).unwrap_or_default();
            let got = orgs[0]["role"].as_str().unwrap_or("none");
            Ok(differs("role", expected, got, place, Some(hop)).into_iter().collect())
        })
    }
}
