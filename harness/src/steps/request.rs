//! `request`: one exchange, nothing followed, every byte as written.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};

use super::step::{Parts, Step, StepError, StepFuture, Verb};
use super::{Seen, World};
use crate::agent::RawRequest;
use crate::evidence::only_reads;
use crate::scenario::Text;

/// A request written by hand.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Where to.
    url: Located<Text>,
    /// The method, byte for byte.
    #[serde(default = "get")]
    method: String,
    /// The request target, when it is not the URL's path and query: `/a/../b`.
    #[serde(default)]
    target: Option<Located<Text>>,
    /// The header lines, `Name: value`, byte for byte and in this order.
    #[serde(default)]
    headers: Vec<Located<Text>>,
    /// The body.
    #[serde(default)]
    body: Option<Located<Text>>,
    /// Whether the actor's cookies go along, as with a same-site navigation.
    #[serde(default = "yes")]
    cookies: bool,
}

fn get() -> String {
    "GET".to_owned()
}

fn yes() -> bool {
    true
}

impl Verb for Request {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.text(&self.url);
        parts.texts(self.target.iter().chain(&self.headers).chain(&self.body));
    }

    fn mutates(&self) -> bool {
        !only_reads(&self.method)
    }

    fn run<'a>(&'a self, _: &'a Step, world: &'a mut World<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            let mut raw = RawRequest::new(self.method.clone(), world.url(&self.url)?);
            raw.target = self.target.as_ref().map(|target| world.text(target)).transpose()?;
            for line in &self.headers {
                let line = world.text(line)?;
                let (name, value) = line.split_once(':').ok_or_else(|| {
                    StepError::Broken(format!("header line `{line}` has no colon: write `Name: value`"))
                })?;
                raw = raw.header(name, value.strip_prefix(' ').unwrap_or(value));
            }
            raw.body = match &self.body {
                Some(body) => world.text(body)?.into_bytes(),
                None => Vec::new(),
            };
            raw.with_cookies = self.cookies;
            let seen = Seen::at(&world.ledger);
            let (actor, ledger) = world.actor_and_ledger()?;
            actor.agent.raw(raw, ledger).await;
            Ok(seen)
        })
    }
}
