//! From a tree to definitions, field by field, as strict as Traefik: field names in any case, unknown ones refused.

use std::sync::Arc;

use regex::Regex;

use super::dynamic::{
    Dynamic, ForwardAuth, HeaderRules, Middleware, MiddlewareDefinition, Origin, RouterDefinition,
    ServiceDefinition,
};
use super::profile::Profile;
use super::tree::{Node, Tree};
use crate::source::{Located, Problem, Source, suggestion};

/// Middlewares that Traefik has; those that are not modelled pass requests through.
const MIDDLEWARES: [&str; 27] = [
    "addPrefix",
    "basicAuth",
    "buffering",
    "chain",
    "circuitBreaker",
    "compress",
    "contentType",
    "digestAuth",
    "encodedCharacters",
    "errors",
    "forwardAuth",
    "grpcWeb",
    "headers",
    "ipAllowList",
    "ipWhiteList",
    "inFlightReq",
    "passTLSClientCert",
    "plugin",
    "rateLimit",
    "redirectRegex",
    "redirectScheme",
    "replacePath",
    "replacePathRegex",
    "retry",
    "stripPrefix",
    "stripPrefixRegex",
    "traefikPlugin",
];

/// The options of forwardAuth.
const FORWARD_AUTH: [&str; 15] = [
    "address",
    "tls",
    "trustForwardHeader",
    "authResponseHeaders",
    "authResponseHeadersRegex",
    "authRequestHeaders",
    "addAuthCookiesToResponse",
    "headerField",
    "forwardBody",
    "maxBodySize",
    "maxResponseBodySize",
    "preserveLocationHeader",
    "preserveRequestMethod",
    "authSigninURL",
    "plugin",
];

const ROUTER: [&str; 10] = [
    "rule",
    "service",
    "entryPoints",
    "middlewares",
    "priority",
    "tls",
    "ruleSyntax",
    "observability",
    "parentRefs",
    "denyEncodedPathCharacters",
];

const LOAD_BALANCER: [&str; 9] = [
    "servers",
    "passHostHeader",
    "sticky",
    "healthCheck",
    "passiveHealthCheck",
    "responseForwarding",
    "serversTransport",
    "strategy",
    "preservePath",
];

/// Adds what `tree`, the whole of `source`, defines.
pub(super) fn decode(
    source: &Source,
    tree: &Tree,
    profile: &Profile,
    into: &mut Dynamic,
) -> Result<(), Problem> {
    Decoder { source, profile }.file(tree, into)
}

struct Decoder<'a> {
    source: &'a Source,
    profile: &'a Profile,
}

impl Decoder<'_> {
    fn file(&self, tree: &Tree, into: &mut Dynamic) -> Result<(), Problem> {
        for (key, value) in self.fields(tree, &["http", "tcp", "udp", "tls"])? {
            if key == "http" {
                self.http(value, into)?;
            }
        }
        Ok(())
    }

    fn http(&self, tree: &Tree, into: &mut Dynamic) -> Result<(), Problem> {
        for (key, value) in
            self.fields(tree, &["routers", "services", "middlewares", "models", "serversTransports"])?
        {
            match key {
                "routers" => {
                    for (name, tree) in self.entries(value)? {
                        into.routers.push(self.router(name, tree)?);
                    }
                }
                "services" => {
                    for (name, tree) in self.entries(value)? {
                        into.services.push(self.service(name, tree)?);
                    }
                }
                "middlewares" => {
                    for (name, tree) in self.entries(value)? {
                        into.middlewares.push(self.middleware(name, tree)?);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn router(&self, name: &Located<String>, tree: &Tree) -> Result<RouterDefinition, Problem> {
        let mut router = RouterDefinition {
            name: name.value.clone(),
            origin: self.origin(name),
            rule: Located { value: String::new(), place: name.place },
            service: Located { value: String::new(), place: name.place },
            entry_points: Vec::new(),
            middlewares: Vec::new(),
            priority: None,
            tls: false,
        };
        for (key, value) in self.fields(tree, &ROUTER)? {
            match key {
                "rule" => router.rule = self.text(value)?,
                "service" => router.service = self.text(value)?,
                "entryPoints" => router.entry_points = self.texts(value)?,
                "middlewares" => router.middlewares = self.texts(value)?,
                "priority" => router.priority = self.number(value)?,
                "tls" => router.tls = !matches!(value.value, Node::Null),
                _ => {}
            }
        }
        Ok(router)
    }

    fn service(&self, name: &Located<String>, tree: &Tree) -> Result<ServiceDefinition, Problem> {
        let mut service = ServiceDefinition {
            name: name.value.clone(),
            origin: self.origin(name),
            servers: Vec::new(),
            pass_host_header: true,
        };
        for (key, value) in
            self.fields(tree, &["loadBalancer", "weighted", "mirroring", "failover", "highestRandomWeight"])?
        {
            if key != "loadBalancer" {
                continue;
            }
            for (key, value) in self.fields(value, &LOAD_BALANCER)? {
                match key {
                    "servers" => {
                        for server in self.list(value)? {
                            for (key, value) in
                                self.fields(server, &["url", "weight", "preservePath", "fenced"])?
                            {
                                if key == "url" {
                                    service.servers.push(self.text(value)?);
                                }
                            }
                        }
                    }
                    "passHostHeader" => service.pass_host_header = self.flag(value)?,
                    _ => {}
                }
            }
        }
        Ok(service)
    }

    fn middleware(&self, name: &Located<String>, tree: &Tree) -> Result<MiddlewareDefinition, Problem> {
        let kinds = self
            .fields(tree, &MIDDLEWARES)?
            .into_iter()
            .map(|(key, value)| self.kind(key, value))
            .collect::<Result<_, _>>()?;
        Ok(MiddlewareDefinition { name: name.value.clone(), origin: self.origin(name), kinds })
    }

    fn kind(&self, key: &str, tree: &Tree) -> Result<Middleware, Problem> {
        Ok(match key {
            "forwardAuth" => Middleware::ForwardAuth(Arc::new(self.forward_auth(tree)?)),
            "chain" => {
                let mut names = Vec::new();
                for (_, value) in self.fields(tree, &["middlewares"])? {
                    names = self.texts(value)?;
                }
                Middleware::Chain(names)
            }
            "headers" => Middleware::Headers(self.headers(tree)?),
            "addPrefix" => {
                let mut prefix = String::new();
                for (_, value) in self.fields(tree, &["prefix"])? {
                    prefix = self.text(value)?.value;
                }
                Middleware::AddPrefix(prefix)
            }
            "stripPrefix" => {
                let mut prefixes = Vec::new();
                for (key, value) in self.fields(tree, &["prefixes", "forceSlash"])? {
                    if key == "prefixes" {
                        prefixes = self.texts(value)?.into_iter().map(|text| text.value).collect();
                    }
                }
                Middleware::StripPrefix(prefixes)
            }
            "redirectScheme" => {
                let (mut scheme, mut port, mut permanent) = (String::new(), None, false);
                for (key, value) in self.fields(tree, &["scheme", "port", "permanent"])? {
                    match key {
                        "scheme" => scheme = self.text(value)?.value,
                        "port" => port = Some(self.text(value)?.value),
                        _ => permanent = self.flag(value)?,
                    }
                }
                Middleware::RedirectScheme { scheme, port, permanent }
            }
            other => Middleware::Unmodelled(other.to_owned()),
        })
    }

    fn forward_auth(&self, tree: &Tree) -> Result<ForwardAuth, Problem> {
        let mut auth = ForwardAuth::default();
        let known: Vec<&str> = FORWARD_AUTH
            .into_iter()
            .filter(|option| !self.profile.unknown_options.contains(option))
            .collect();
        let names = |texts: Vec<Located<String>>| texts.into_iter().map(|text| text.value).collect();
        for (key, value) in self.fields(tree, &known)? {
            match key {
                "address" => auth.address = self.text(value)?.value,
                "trustForwardHeader" => auth.trust_forward_header = self.flag(value)?,
                "authResponseHeaders" => auth.auth_response_headers = self.texts(value)?,
                "authResponseHeadersRegex" => {
                    let pattern = self.text(value)?.value;
                    if !pattern.is_empty() {
                        auth.auth_response_headers_regex = Some(compiled(&pattern));
                    }
                }
                "authRequestHeaders" => auth.auth_request_headers = names(self.texts(value)?),
                "addAuthCookiesToResponse" => auth.add_auth_cookies_to_response = names(self.texts(value)?),
                "preserveLocationHeader" => auth.preserve_location_header = self.flag(value)?,
                "preserveRequestMethod" => auth.preserve_request_method = self.flag(value)?,
                "forwardBody" => auth.forward_body = self.flag(value)?,
                "maxBodySize" => auth.max_body_size = self.size(value)?,
                "maxResponseBodySize" => auth.max_response_body_size = self.size(value)?,
                _ => {}
            }
        }
        Ok(auth)
    }

    fn headers(&self, tree: &Tree) -> Result<HeaderRules, Problem> {
        let mut rules = HeaderRules::default();
        // The many options for security headers are left to pass; only custom headers act here.
        let Node::Map(entries) = &tree.value else { return Ok(rules) };
        for (key, value) in entries {
            let rule = if key.eq_ignore_ascii_case("customRequestHeaders") {
                &mut rules.request
            } else if key.eq_ignore_ascii_case("customResponseHeaders") {
                &mut rules.response
            } else {
                continue;
            };
            for (name, value) in self.entries(value)? {
                rule.push((name.value.clone(), self.text(value)?.value));
            }
        }
        Ok(rules)
    }

    fn origin(&self, name: &Located<String>) -> Origin {
        Origin { source: self.source.clone(), place: name.place }
    }

    /// The entries of a mapping whose keys are among `known`, in any case; the keys as `known` spells them.
    fn fields<'t, 'k>(&self, tree: &'t Tree, known: &[&'k str]) -> Result<Vec<(&'k str, &'t Tree)>, Problem> {
        self.entries(tree)?
            .iter()
            .map(|(key, value)| match known.iter().find(|name| name.eq_ignore_ascii_case(key)) {
                Some(name) => Ok((*name, value)),
                None => Err(self
                    .source
                    .problem(key.place, format!("field not found, node: {}", **key))
                    .with_help(suggestion(key, known))),
            })
            .collect()
    }

    fn entries<'t>(&self, tree: &'t Tree) -> Result<&'t [(Located<String>, Tree)], Problem> {
        match &tree.value {
            Node::Map(entries) => Ok(entries),
            Node::Null => Ok(&[]),
            other => Err(self.wrong(tree, "a mapping", other)),
        }
    }

    fn list<'t>(&self, tree: &'t Tree) -> Result<&'t [Tree], Problem> {
        match &tree.value {
            Node::List(items) => Ok(items),
            Node::Null => Ok(&[]),
            other => Err(self.wrong(tree, "a list", other)),
        }
    }

    /// A list of texts; one text alone, parted by commas, is a list too.
    fn texts(&self, tree: &Tree) -> Result<Vec<Located<String>>, Problem> {
        match &tree.value {
            Node::Text(text) => Ok(text
                .split(',')
                .map(|item| Located { value: item.trim().to_owned(), place: tree.place })
                .collect()),
            _ => self.list(tree)?.iter().map(|item| self.text(item)).collect(),
        }
    }

    fn text(&self, tree: &Tree) -> Result<Located<String>, Problem> {
        let value = match &tree.value {
            Node::Text(text) | Node::Number(text) => text.clone(),
            Node::Bool(flag) => flag.to_string(),
            Node::Null => String::new(),
            other => return Err(self.wrong(tree, "a text", other)),
        };
        Ok(Located { value, place: tree.place })
    }

    fn flag(&self, tree: &Tree) -> Result<bool, Problem> {
        match &tree.value {
            Node::Bool(flag) => Ok(*flag),
            Node::Null => Ok(false),
            Node::Text(text) if text == "true" || text == "false" => Ok(text == "true"),
            other => Err(self.wrong(tree, "true or false", other)),
        }
    }

    fn number(&self, tree: &Tree) -> Result<Option<i64>, Problem> {
        match &tree.value {
            Node::Null => Ok(None),
            Node::Number(text) | Node::Text(text) => {
                text.parse().map(Some).map_err(|_| self.wrong(tree, "a whole number", &tree.value))
            }
            other => Err(self.wrong(tree, "a whole number", other)),
        }
    }

    /// A size in bytes; negative means no limit.
    fn size(&self, tree: &Tree) -> Result<Option<usize>, Problem> {
        Ok(self.number(tree)?.and_then(|number| usize::try_from(number).ok()))
    }

    fn wrong(&self, tree: &Tree, wanted: &str, got: &Node) -> Problem {
        self.source.problem(tree.place, format!("{wanted} is wanted here, not {}", got.kind()))
    }
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("error compiling regular expression {pattern}: error parsing regexp: {reason}: `{pattern}`")
    })
}
