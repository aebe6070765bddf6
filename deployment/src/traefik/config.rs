//! The configuration in force: which routers are enabled, in which order they are tried, and why others are not.

use std::sync::Arc;

use serde_json::{Value, json};

use super::dynamic::{
    Definition, Dynamic, Middleware, MiddlewareDefinition, RouterDefinition, ServiceDefinition,
};
use super::rule::{Facts, Rule};

/// The provider of everything here.
const PROVIDER: &str = "@file";

/// How deep chains may name chains.
const DEEPEST_CHAIN: usize = 16;

/// A port that Traefik listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    /// Its name.
    pub name: String,
    /// Whether it ends TLS.
    pub tls: bool,
}

/// The configuration in force.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    /// Every router, enabled or not, in the order they are tried.
    pub routers: Vec<Arc<Router>>,
    /// What the files say.
    pub dynamic: Dynamic,
}

/// A router, ready to take requests or disabled with its errors.
#[derive(Clone, Debug)]
pub struct Router {
    /// Its name with the provider: `stream@file`.
    pub name: String,
    /// What the file says.
    pub definition: RouterDefinition,
    /// The rule, when it could be read.
    pub rule: Option<Rule>,
    /// The priority in force.
    pub priority: i64,
    /// The names of its middlewares with their providers.
    pub middleware_names: Vec<String>,
    /// Its middlewares with chains opened, in the order they act.
    pub links: Vec<Link>,
    /// Its service, when there is one.
    pub service: Option<Arc<ServiceDefinition>>,
    /// The entry points it listens on.
    pub using: Vec<String>,
    /// Why it is disabled; none means it is enabled.
    pub errors: Vec<String>,
}

/// A middleware of a router.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name with the provider.
    pub name: String,
    /// What it does.
    pub middleware: Middleware,
}

impl Router {
    /// Whether it takes requests.
    pub fn enabled(&self) -> bool {
        self.errors.is_empty()
    }

    /// As `/api/http/routers` shows it.
    pub fn to_json(&self) -> Value {
        let mut shown = json!({
            "entryPoints": self.using, "service": self.definition.service.value,
            "rule": self.definition.rule.value, "priority": self.priority,
            "status": if self.enabled() { "enabled" } else { "disabled" },
            "using": self.using, "name": self.name, "provider": "file",
        });
        if !self.middleware_names.is_empty() {
            shown["middlewares"] = json!(self.middleware_names);
        }
        if !self.enabled() {
            shown["error"] = json!(self.errors);
        }
        shown
    }
}

impl Runtime {
    /// What Traefik makes of `dynamic` with these entry points.
    pub fn new(dynamic: Dynamic, entry_points: &[EntryPoint]) -> Self {
        let mut routers: Vec<Arc<Router>> = dynamic
            .routers
            .iter()
            .map(|definition| Arc::new(router(definition, &dynamic, entry_points)))
            .collect();
        routers
            .sort_by(|one, other| other.priority.cmp(&one.priority).then_with(|| one.name.cmp(&other.name)));
        Self { routers, dynamic }
    }

    /// The router that takes a request at `entry_point`, the first in order that matches.
    pub fn winner(&self, entry_point: &EntryPoint, facts: &Facts<'_>) -> Option<&Arc<Router>> {
        self.at(entry_point).find(|router| router.rule.as_ref().is_some_and(|rule| rule.matches(facts)))
    }

    /// The enabled routers that could take some request for `host` at `entry_point`, in the order they are tried.
    pub fn for_host<'a>(
        &'a self,
        entry_point: &'a EntryPoint,
        host: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Router>> {
        self.at(entry_point)
            .filter(move |router| router.rule.as_ref().is_some_and(|rule| rule.may_match_host(host)))
    }

    /// The router called `name`, with or without the provider.
    pub fn router(&self, name: &str) -> Option<&Arc<Router>> {
        let qualified = qualified(name);
        self.routers.iter().find(|router| router.name == qualified)
    }

    fn at<'s, 'e>(
        &'s self,
        entry_point: &'e EntryPoint,
    ) -> impl Iterator<Item = &'s Arc<Router>> + use<'s, 'e> {
        self.routers.iter().filter(move |router| {
            router.enabled()
                && router.using.contains(&entry_point.name)
                && router.definition.tls == entry_point.tls
        })
    }
}

fn router(definition: &RouterDefinition, dynamic: &Dynamic, entry_points: &[EntryPoint]) -> Router {
    let mut errors = Vec::new();
    let mut using = Vec::new();
    if definition.entry_points.is_empty() {
        using.extend(entry_points.iter().map(|entry_point| entry_point.name.clone()));
    }
    for name in &definition.entry_points {
        if entry_points.iter().any(|entry_point| entry_point.name == name.value) {
            using.push(name.value.clone());
        } else {
            errors.push(format!("entryPoint \"{}\" doesn't exist", **name));
        }
    }
    if using.is_empty() {
        errors.push("no valid entryPoint for this router".to_owned());
    }
    let mut links = Vec::new();
    let middleware_names: Vec<String> = definition.middlewares.iter().map(|name| qualified(name)).collect();
    for name in &middleware_names {
        if let Err(error) = resolve(name, dynamic, &mut links, 0) {
            errors.push(error);
            break;
        }
    }
    let service = find(&dynamic.services, &definition.service);
    if service.is_none() {
        errors.push(format!("the service \"{}\" does not exist", qualified(&definition.service)));
    }
    let rule = match Rule::parse(&definition.rule) {
        Ok(rule) => Some(rule),
        Err(error) => {
            errors.push(error.to_string());
            None
        }
    };
    let length = i64::try_from(definition.rule.len()).unwrap_or(i64::MAX);
    Router {
        name: qualified(&definition.name),
        definition: definition.clone(),
        rule,
        priority: definition.priority.filter(|priority| *priority != 0).unwrap_or(length),
        middleware_names,
        links,
        service: service.cloned().map(Arc::new),
        using,
        errors,
    }
}

/// Adds what `name` does, chains opened.
fn resolve(name: &str, dynamic: &Dynamic, links: &mut Vec<Link>, depth: usize) -> Result<(), String> {
    let missing = || format!("middleware \"{name}\" does not exist");
    if depth > DEEPEST_CHAIN {
        return Err(format!("could not instantiate middleware {name}: recursion detected"));
    }
    let definition: &MiddlewareDefinition = find(&dynamic.middlewares, name).ok_or_else(missing)?;
    let middleware = match definition.kinds.as_slice() {
        [one] => one,
        [] => {
            return Err(format!(
                "invalid middleware \"{name}\" configuration: invalid middleware type or middleware does not exist"
            ));
        }
        _ => {
            return Err(
                "cannot create middleware: multi-types middleware not supported, consider declaring two \
                        different pieces of middleware instead"
                    .to_owned(),
            );
        }
    };
    match middleware {
        Middleware::Chain(names) => {
            for inner in names {
                resolve(&qualified(inner), dynamic, links, depth + 1)?;
            }
        }
        Middleware::ForwardAuth(auth) => {
            if let Some(Err(error)) = &auth.auth_response_headers_regex {
                return Err(error.clone());
            }
            links.push(Link { name: name.to_owned(), middleware: middleware.clone() });
        }
        other => links.push(Link { name: name.to_owned(), middleware: other.clone() }),
    }
    Ok(())
}

/// The definition that `name`, with or without a provider, stands for.
fn find<'d, T: Definition>(definitions: &'d [T], name: &str) -> Option<&'d T> {
    let qualified = qualified(name);
    let bare = qualified.strip_suffix(PROVIDER)?;
    definitions.iter().find(|definition| definition.name() == bare)
}

/// `x` is `x@file` in a file.
fn qualified(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}{PROVIDER}") }
}
