//! `router`, `routers`: what `route` found.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};

use super::expect::{Check, CheckFuture, differs};
use crate::scenario::Text;
use crate::steps::{Parts, Seen, World};

/// The router that takes the request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneRouter {
    /// Its name, with the provider.
    #[serde(default)]
    name: Option<Located<Text>>,
    /// A middleware that it has, with the provider.
    #[serde(default)]
    with: Option<Located<Text>>,
}

/// Every router that could take some request of the host.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllRouters {
    /// A middleware that each of them has.
    with: Located<Text>,
    /// Routers that need not have it.
    #[serde(default)]
    except: Vec<Located<Text>>,
}

impl Check for OneRouter {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.texts(self.name.iter().chain(&self.with));
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let winner = seen.routes.as_ref().and_then(|routes| routes.winner.clone());
            let Some(winner) = winner else {
                return Ok(differs("the router", "one that takes it", "none", place, None)
                    .into_iter()
                    .collect());
            };
            let mut findings = Vec::new();
            if let Some(name) = &self.name {
                findings.extend(differs("the router", world.text(name)?, &winner.name, name.place, None));
            }
            if let Some(with) = &self.with {
                let wanted = world.text(with)?;
                if !winner.middlewares.contains(&wanted) {
                    let got = listed(&winner.middlewares);
                    findings.extend(differs(
                        format!("middlewares of {}", winner.name),
                        wanted,
                        got,
                        with.place,
                        None,
                    ));
                }
            }
            Ok(findings)
        })
    }
}

impl Check for AllRouters {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.text(&self.with);
        parts.texts(&self.except);
    }

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let wanted = world.text(&self.with)?;
            let except: Vec<String> =
                self.except.iter().map(|name| world.text(name)).collect::<Result<_, _>>()?;
            let routers = seen.routes.iter().flat_map(|routes| &routes.of_host);
            let mut findings = Vec::new();
            let mut any = false;
            for router in routers.filter(|router| !except.contains(&router.name)) {
                any = true;
                if !router.middlewares.contains(&wanted) {
                    let got = listed(&router.middlewares);
                    let what = format!("middlewares of {}", router.name);
                    findings.extend(differs(what, &wanted, got, self.with.place, None));
                }
            }
            if !any {
                findings.extend(differs("routers of the host", "at least one", "none", place, None));
            }
            Ok(findings)
        })
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
