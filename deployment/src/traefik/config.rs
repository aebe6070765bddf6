//! What Traefik makes of the files when it runs: routers that work, routers that do not and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::dynamic::{At, Dynamic, LoadBalancer, MiddlewareType, RouterDefinition, ServiceType};
use super::middleware::{Step, action};
use super::profile::Profile;
use super::rule::{RequestFacts, Rule};

/// The largest priority a user may give.
const LARGEST_PRIORITY: i64 = i64::MAX - 1000;

/// An entry point of the static configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    /// Its name.
    pub name: String,
    /// Whether its `http.tls` is set, so that every router on it answers TLS.
    pub tls: bool,
}

impl EntryPoint {
    /// An entry point that leaves TLS to the routers.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), tls: false }
    }
}

/// The running configuration: what the API shows and what requests meet.
#[derive(Clone, Debug, Default)]
pub struct RuntimeConfig {
    /// Every router, by name.
    pub routers: Vec<Router>,
    /// Every middleware, by name.
    pub middlewares: Vec<Middleware>,
    /// What the files define.
    pub dynamic: Arc<Dynamic>,
}

/// Whether Traefik uses a router or a middleware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is used.
    Enabled,
    /// It is used, and something is wrong with it.
    Warning,
    /// It is not used.
    Disabled,
}

impl Status {
    /// The word in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Warning => "warning",
            Self::Disabled => "disabled",
        }
    }
}

/// A router.
#[derive(Clone, Debug)]
pub struct Router {
    /// Its name with its provider: `app@file`.
    pub name: String,
    /// What the file says.
    pub definition: Arc<RouterDefinition>,
    /// The entry points it asks for, or all when it asks for none.
    pub entry_points: Vec<String>,
    /// Those of them that exist.
    pub using: Vec<String>,
    /// Its middlewares with their providers.
    pub middlewares: Vec<String>,
    /// Its priority: the length of the rule in bytes unless given. None when it is not worked out.
    pub priority: Option<i64>,
    /// Whether it answers TLS only.
    pub tls: bool,
    /// Whether it is used.
    pub status: Status,
    /// What is wrong with it, in Traefik's words.
    pub errors: Vec<String>,
    /// The rule, when it was understood.
    pub rule: Option<Rule>,
    /// Its middlewares in order, chains resolved; empty when it is disabled.
    pub steps: Vec<Arc<Step>>,
    /// Where it forwards to; none when it is disabled or wants `noop@internal`.
    pub service: Option<Arc<Service>>,
}

impl Router {
    /// Where the router is defined.
    pub fn at(&self) -> &At {
        &self.definition.at
    }

    /// The rule's text.
    pub fn rule_text(&self) -> &str {
        self.definition.rule.as_ref().map_or("", |rule| rule.as_str())
    }

    /// Whether it is used for requests on `entry_point`; `secure` when they come over TLS.
    fn listens(&self, entry_point: &str, secure: bool) -> bool {
        self.status != Status::Disabled
            && self.tls == secure
            && self.using.iter().any(|name| name == entry_point)
    }

    /// Whether requests pass the middleware `name`, given with its provider, alone or in a chain.
    pub fn runs(&self, name: &str) -> bool {
        self.steps.iter().any(|step| step.name == name)
    }
}

/// A middleware.
#[derive(Clone, Debug)]
pub struct Middleware {
    /// Its name with its provider.
    pub name: String,
    /// The type, as the API writes it: `forwardauth`.
    pub kind: String,
    /// Whether it could be made.
    pub status: Status,
    /// What is wrong with it, in Traefik's words.
    pub errors: Vec<String>,
    /// The routers that list it.
    pub used_by: Vec<String>,
}

/// A service ready to run.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name with its provider.
    pub name: String,
    /// Its servers, each as often as its weight says; empty answers 503.
    pub servers: Vec<Target>,
    /// Whether servers see the client's `Host`.
    pub pass_host: bool,
    /// Whether any certificate of a server is good.
    pub insecure: bool,
}

/// A server ready to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its URL.
    pub url: Url,
    /// Whether the URL's path goes before the request's.
    pub preserve_path: bool,
}

impl RuntimeConfig {
    /// What Traefik with these entry points makes of `dynamic`.
    pub fn build(dynamic: Dynamic, entry_points: &[EntryPoint], profile: &Profile) -> Self {
        let dynamic = Arc::new(dynamic);
        let mut builder =
            Builder { dynamic: &dynamic, entry_points, profile, middleware_errors: BTreeMap::new() };
        let routers: Vec<_> = dynamic
            .routers
            .iter()
            .map(|(name, definition)| builder.router(qualified(name), definition.clone()))
            .collect();
        let middlewares = builder.middlewares(&routers);
        Self { routers, middlewares, dynamic }
    }

    /// The router that a request on `entry_point` meets; `secure` when it came over TLS.
    ///
    /// The highest priority wins, then the first name (`truth/traefik/3.6.7-5-config`:
    /// `equal_priority_same_rule`). Disabled routers are as good as absent: the next one answers.
    pub fn winner(&self, entry_point: &str, secure: bool, facts: &RequestFacts<'_>) -> Option<&Router> {
        let mut best: Option<&Router> = None;
        for router in &self.routers {
            let stronger = best.is_none_or(|best| router.priority > best.priority);
            if stronger
                && router.listens(entry_point, secure)
                && router.rule.as_ref().is_some_and(|rule| rule.matches(facts))
            {
                best = Some(router);
            }
        }
        best
    }

    /// The routers in use that could take some request for `host` on `entry_point`, in the order they are tried.
    pub fn for_host(&self, entry_point: &str, secure: bool, host: &str) -> Vec<&Router> {
        let mut routers: Vec<&Router> = self
            .routers
            .iter()
            .filter(|router| {
                router.listens(entry_point, secure)
                    && router.rule.as_ref().is_some_and(|rule| rule.may_match_host(host))
            })
            .collect();
        routers
            .sort_by(|one, other| other.priority.cmp(&one.priority).then_with(|| one.name.cmp(&other.name)));
        routers
    }

    /// The router called `name`, with or without its provider.
    pub fn router(&self, name: &str) -> Option<&Router> {
        let name = qualified(name);
        self.routers.iter().find(|router| router.name == name)
    }
}

/// The name with its provider: `@file` unless it has one.
pub fn qualified(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@file") }
}

/// The name in the files: what other providers define stands there with its provider, if at all.
pub fn unqualified(name: &str) -> &str {
    name.strip_suffix("@file").unwrap_or(name)
}

struct Builder<'a> {
    dynamic: &'a Dynamic,
    entry_points: &'a [EntryPoint],
    profile: &'a Profile,
    middleware_errors: BTreeMap<String, String>,
}

impl Builder<'_> {
    fn router(&mut self, name: String, definition: Arc<RouterDefinition>) -> Router {
        let asked: Vec<String> = definition
            .entry_points
            .iter()
            .flat_map(|list| list.iter().map(|name| name.value.clone()))
            .collect();
        let all = || self.entry_points.iter().map(|entry| entry.name.clone()).collect();
        let entry_points: Vec<String> = if asked.is_empty() { all() } else { asked };
        let middlewares =
            definition.middlewares.iter().flat_map(|list| list.iter().map(|name| qualified(name))).collect();
        let mut router = Router {
            name,
            entry_points,
            using: Vec::new(),
            middlewares,
            priority: None,
            tls: definition.tls.is_some(),
            status: Status::Enabled,
            errors: Vec::new(),
            rule: None,
            steps: Vec::new(),
            service: None,
            definition,
        };
        self.place(&mut router);
        if router.status != Status::Disabled
            && let Err(error) = self.complete(&mut router)
        {
            router.status = Status::Disabled;
            router.steps.clear();
            router.service = None;
            router.errors.push(error);
        }
        router
    }

    /// Puts the router on its entry points.
    fn place(&self, router: &mut Router) {
        if self.profile.has_child_routers {
            if !router.definition.parents.is_empty() {
                router.status = Status::Disabled;
                let missing = router
                    .definition
                    .parents
                    .iter()
                    .map(|parent| qualified(parent))
                    .filter(|parent| !self.dynamic.routers.contains_key(unqualified(parent)))
                    .map(|parent| format!("parent router \"{parent}\" does not exist"));
                router.errors.extend(missing);
                router.errors.push("router is not reachable".to_owned());
                return;
            }
            if router.definition.service.as_ref().is_none_or(|service| service.is_empty()) {
                router.errors.push("router has no service and no child routers".to_owned());
            }
        }
        for name in &router.entry_points {
            match self.entry_points.iter().find(|entry| entry.name == *name) {
                Some(entry) => {
                    router.tls |= entry.tls;
                    if !router.using.contains(name) {
                        router.using.push(name.clone());
                    }
                }
                None => {
                    router.errors.push(format!("entryPoint \"{name}\" doesn't exist"));
                    router.status = Status::Warning;
                }
            }
        }
        router.using.sort();
        if router.using.is_empty() {
            router.errors.push("no valid entryPoint for this router".to_owned());
            router.status = Status::Disabled;
        }
    }

    /// Works out everything a request needs, in the order in which Traefik finds what is wrong.
    fn complete(&mut self, router: &mut Router) -> Result<(), String> {
        let definition = router.definition.clone();
        let text = definition.rule.as_ref().map_or("", |rule| rule.as_str());
        let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
        let priority = if definition.priority == 0 { length } else { definition.priority };
        router.priority = (priority != 0).then_some(priority);
        if priority > LARGEST_PRIORITY {
            return Err(format!(
                "the router priority {priority} exceeds the max user-defined priority {LARGEST_PRIORITY}"
            ));
        }
        if let Some(options) = definition.tls.as_ref().and_then(|tls| tls.options.as_ref())
            && **options != "default"
            && !self.dynamic.tls_options.contains(unqualified(options))
        {
            return Err(format!("building router handler: unknown TLS options: {}", qualified(options)));
        }
        let service = definition.service.as_ref().map_or("", |service| service.as_str());
        if service.is_empty() {
            let reason = if self.profile.has_child_routers {
                "router must have either a service or child routers"
            } else {
                "the service is missing on the router"
            };
            return Err(reason.to_owned());
        }
        router.service = self.service(&qualified(service))?;
        router.steps = self.steps(&router.middlewares, &mut Vec::new())?;
        let rule = Rule::parse(text).map_err(|error| error.text(self.profile.wraps_rule_errors))?;
        router.rule = Some(rule);
        Ok(())
    }

    /// The service called `name`; none for Traefik's own that serves nothing.
    fn service(&self, name: &str) -> Result<Option<Arc<Service>>, String> {
        if name == "noop@internal" {
            return Ok(None);
        }
        let definition = self.dynamic.services.get(unqualified(name));
        let Some(definition) = definition else {
            return Err(format!("the service \"{name}\" does not exist"));
        };
        match definition.types.as_slice() {
            [] => Err(format!("the service \"{name}\" does not have any type defined")),
            [ServiceType::LoadBalancer(balancer)] => {
                self.balancer(name, balancer).map(|made| Some(Arc::new(made)))
            }
            [ServiceType::Unmodelled(_)] => Ok(Some(Arc::new(Service {
                name: name.to_owned(),
                servers: Vec::new(),
                pass_host: true,
                insecure: false,
            }))),
            _ => Err(
                "cannot create service: multi-types service not supported, consider declaring two different \
                      pieces of service instead"
                    .to_owned(),
            ),
        }
    }

    fn balancer(&self, name: &str, balancer: &LoadBalancer) -> Result<Service, String> {
        let transport = match balancer.transport.as_deref().filter(|transport| !transport.is_empty()) {
            None => None,
            Some(transport) => {
                let transport = qualified(transport);
                let found = self.dynamic.transports.get(unqualified(&transport));
                Some(found.ok_or_else(|| self.missing_transport(&transport, balancer))?)
            }
        };
        let mut servers = Vec::new();
        for server in &balancer.servers {
            let url = server_url(&server.url)?;
            let target = url.map(|url| Target { url, preserve_path: server.preserve_path });
            let share = usize::try_from(server.weight.clamp(0, 100)).unwrap_or_default();
            servers.extend(target.into_iter().cycle().take(share));
        }
        Ok(Service {
            name: name.to_owned(),
            servers,
            pass_host: balancer.pass_host,
            insecure: transport.is_some_and(|transport| transport.insecure),
        })
    }

    fn missing_transport(&self, transport: &str, balancer: &LoadBalancer) -> String {
        let reason = format!("servers transport not found {transport}");
        match balancer.servers.first() {
            Some(server) if self.profile.wraps_transport_errors => {
                format!("error building proxy for server URL {}: getting RoundTripper: {reason}", *server.url)
            }
            _ => reason,
        }
    }

    /// The middlewares `names`, chains resolved. Traefik makes the last one first, so its error is the one shown.
    fn steps(&mut self, names: &[String], above: &mut Vec<String>) -> Result<Vec<Arc<Step>>, String> {
        let mut steps = Vec::new();
        for name in names.iter().rev() {
            let mut made = self.step(name, above)?;
            made.append(&mut steps);
            steps = made;
        }
        Ok(steps)
    }

    fn step(&mut self, name: &str, above: &mut Vec<String>) -> Result<Vec<Arc<Step>>, String> {
        if above.iter().any(|other| other == name) {
            above.push(name.to_owned());
            let path = above.join("->");
            above.pop();
            return Err(format!("could not instantiate middleware {name}: recursion detected in {path}"));
        }
        let definition = self.dynamic.middlewares.get(unqualified(name)).cloned();
        let Some(definition) = definition else {
            return Err(format!("middleware \"{name}\" does not exist"));
        };
        let made = match (action(name, &definition), definition.types.first()) {
            (Ok(Some(action)), _) => Ok(vec![Arc::new(Step { name: name.to_owned(), action })]),
            (Ok(None), Some(MiddlewareType::Chain(names))) => {
                let names: Vec<String> = names.iter().map(|name| qualified(name)).collect();
                above.push(name.to_owned());
                let steps = self.steps(&names, above);
                above.pop();
                steps
            }
            (Ok(None), _) => Ok(Vec::new()),
            (Err(error), _) => Err(error),
        };
        if let Err(error) = &made {
            self.middleware_errors.insert(name.to_owned(), error.clone());
        }
        made
    }

    fn middlewares(&self, routers: &[Router]) -> Vec<Middleware> {
        let made = self.dynamic.middlewares.iter().map(|(bare, definition)| {
            let name = qualified(bare);
            let error = self.middleware_errors.get(&name).cloned();
            Middleware {
                kind: definition.types.last().map_or("", |made| made.name()).to_ascii_lowercase(),
                status: if error.is_some() { Status::Disabled } else { Status::Enabled },
                errors: error.into_iter().collect(),
                used_by: routers
                    .iter()
                    .filter(|router| router.middlewares.contains(&name))
                    .map(|router| router.name.clone())
                    .collect(),
                name,
            }
        });
        made.collect()
    }
}

/// A server's URL; none when it has no host, which answers 502 in Traefik and is left out here.
fn server_url(text: &str) -> Result<Option<Url>, String> {
    let failed = |reason: &str| format!("error parsing server URL {text}: parse \"{text}\": {reason}");
    let first = text.split('/').next().unwrap_or_default();
    match Url::parse(text) {
        Ok(url) if url.has_host() => Ok(Some(url)),
        _ if first.contains(':') && !first.starts_with(|letter: char| letter.is_ascii_alphabetic()) => {
            Err(failed("first path segment in URL cannot contain colon"))
        }
        _ if text.contains(' ') => Err(failed("invalid character \" \" in host name")),
        _ => Ok(None),
    }
}
