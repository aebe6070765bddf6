//! `admin`: one call to Authentik's REST API as its administrator.

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};

use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::world::parse_url;
use super::{Seen, World};
use crate::agent::{Agent, Outgoing};
use crate::evidence::{Cause, only_reads};
use crate::scenario::{Template, Text};
use crate::stacks::Reach;

/// A call to the API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// The method.
    #[serde(default = "get")]
    method: String,
    /// The path behind `/api/v3/`, with query: `core/users/?username=ada`.
    path: Located<Text>,
    /// The JSON body.
    #[serde(default)]
    json: Option<Located<Template>>,
    /// Whether the administrator's token goes along.
    #[serde(default = "yes")]
    token: bool,
}

fn get() -> String {
    "GET".to_owned()
}

fn yes() -> bool {
    true
}

impl Verb for Admin {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.text(&self.path);
        if let Some(json) = &self.json {
            parts.template(json);
        }
    }

    fn reach(&self) -> Reach {
        if only_reads(&self.method) { Reach::Own } else { Reach::Setup }
    }

    fn by_actor(&self) -> bool {
        false
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let path = world.text(&self.path)?;
            let url = parse_url(&format!("{}/api/v3/{path}", *world.deployment.auth.url))?;
            let method: Method = self
                .method
                .parse()
                .map_err(|_| StepError::Broken(format!("`{}` is no HTTP method", self.method)))?;
            let mut request = Outgoing::api(method, url);
            if let Some(json) = &self.json {
                request = request.json(&json.value(&world.scope)?);
            }
            if self.token {
                let token = world.stack.secrets().admin_token.expose_secret().to_owned();
                let value = HeaderValue::from_str(&format!("Bearer {token}"));
                let value =
                    value.map_err(|_| StepError::Broken("the admin token is no header value".into()))?;
                request = request.header(AUTHORIZATION, value);
            }
            let seen = Seen::at(&world.ledger);
            let mut agent = Agent::program("administrator", world.stack.client());
            agent.exchange(request, Cause::Api, &mut world.ledger).await;
            Ok(seen)
        })
    }
}
