//! What the dynamic files define.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::source::{Located, Place, Source};

/// A place in a named file.
#[derive(Clone, Debug)]
pub struct At {
    /// The file.
    pub source: Source,
    /// The place in it.
    pub place: Place,
}

impl fmt::Display for At {
    /// `services.yaml:12`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.source.path.display(), self.place.line)
    }
}

/// The HTTP part of all files of a directory, merged. Names are as written, without `@file`.
#[derive(Clone, Debug, Default)]
pub struct Dynamic {
    /// The routers.
    pub routers: BTreeMap<String, Arc<RouterDefinition>>,
    /// The middlewares.
    pub middlewares: BTreeMap<String, Arc<MiddlewareDefinition>>,
    /// The services.
    pub services: BTreeMap<String, Arc<ServiceDefinition>>,
    /// The servers transports.
    pub transports: BTreeMap<String, Arc<TransportDefinition>>,
    /// The names under `tls.options`.
    pub tls_options: BTreeSet<String>,
    /// Names defined more than once; the first definition counts.
    pub duplicates: Vec<Duplicate>,
    /// What stands in the files and is not modelled.
    pub unmodelled: Vec<Unmodelled>,
    /// The files, in the order they were read.
    pub files: Vec<Source>,
}

/// A name that a later file defines again, without effect.
#[derive(Clone, Debug)]
pub struct Duplicate {
    /// `router`, `middleware`, `service` or `servers transport`.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// The definition that counts.
    pub kept: At,
    /// The one that does not.
    pub skipped: At,
}

/// Something that Traefik knows and this crate does not act on.
#[derive(Clone, Debug)]
pub struct Unmodelled {
    /// What it is: ``middleware `limit` of type rateLimit``.
    pub what: String,
    /// Where it stands.
    pub at: At,
}

/// A router as written. Every place lies in `at.source`.
#[derive(Clone, Debug)]
pub struct RouterDefinition {
    /// The router's name.
    pub at: At,
    /// The rule's text.
    pub rule: Option<Located<String>>,
    /// The service's name.
    pub service: Option<Located<String>>,
    /// The list of middlewares, in order.
    pub middlewares: Option<Located<Vec<Located<String>>>>,
    /// The list of entry points.
    pub entry_points: Option<Located<Vec<Located<String>>>>,
    /// The priority; 0 counts as none.
    pub priority: i64,
    /// Present when the router answers TLS only.
    pub tls: Option<Tls>,
    /// Routers this one hangs below.
    pub parents: Vec<Located<String>>,
}

/// The `tls` of a router.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// The name of the TLS options.
    pub options: Option<Located<String>>,
    /// The name of the certificate resolver.
    pub cert_resolver: Option<Located<String>>,
}

/// A middleware as written: one type, if it is sound.
#[derive(Clone, Debug)]
pub struct MiddlewareDefinition {
    /// The middleware's name.
    pub at: At,
    /// Its types.
    pub types: Vec<MiddlewareType>,
    /// Where the settings of its types stand, by their names in lower case.
    pub settings: BTreeMap<String, Place>,
}

impl MiddlewareDefinition {
    /// What it asks, when it is a forward auth.
    pub fn forward_auth(&self) -> Option<&ForwardAuth> {
        self.types.iter().find_map(|kind| match kind {
            MiddlewareType::ForwardAuth(auth) => Some(auth.as_ref()),
            _ => None,
        })
    }

    /// Where the setting `name` stands, or else the middleware's name.
    pub fn setting(&self, name: &str) -> Place {
        self.settings.get(&name.to_ascii_lowercase()).copied().unwrap_or(self.at.place)
    }
}

/// What a middleware does.
#[derive(Clone, Debug)]
pub enum MiddlewareType {
    /// Asks another server whether the request may pass.
    ForwardAuth(Box<ForwardAuth>),
    /// Sets and removes header lines.
    Headers(HeaderEdits),
    /// Redirects to another scheme.
    RedirectScheme(RedirectScheme),
    /// Redirects to a rewritten URL.
    RedirectRegex {
        /// The pattern, matched against the whole URL.
        regex: String,
        /// The replacement, with `$1` or `${name}`.
        replacement: String,
        /// Whether browsers may remember it.
        permanent: bool,
    },
    /// Takes the first prefix that fits off the path.
    StripPrefix(Vec<String>),
    /// Puts a prefix before the path.
    AddPrefix(String),
    /// Sets the path.
    ReplacePath(String),
    /// Rewrites the path.
    ReplacePathRegex {
        /// The pattern, matched against the path.
        regex: String,
        /// The replacement.
        replacement: String,
    },
    /// Other middlewares, in order.
    Chain(Vec<Located<String>>),
    /// A type that Traefik knows and that passes through here.
    Unmodelled(&'static str),
}

impl MiddlewareType {
    /// The name of the type's field.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ForwardAuth(_) => "forwardAuth",
            Self::Headers(_) => "headers",
            Self::RedirectScheme(_) => "redirectScheme",
            Self::RedirectRegex { .. } => "redirectRegex",
            Self::StripPrefix(_) => "stripPrefix",
            Self::AddPrefix(_) => "addPrefix",
            Self::ReplacePath(_) => "replacePath",
            Self::ReplacePathRegex { .. } => "replacePathRegex",
            Self::Chain(_) => "chain",
            Self::Unmodelled(name) => name,
        }
    }
}

/// A `forwardAuth` middleware.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForwardAuth {
    /// The URL asked.
    pub address: String,
    /// Whether `X-Forwarded-*` of the request are believed; unset and false differ from 3.7 on.
    pub trust_forward_header: Option<bool>,
    /// Headers of the answer that replace the request's, or take them away when the answer has none.
    pub response_headers: Vec<String>,
    /// The same by pattern, against canonical names, with case.
    pub response_headers_pattern: Option<String>,
    /// The only headers of the request that are passed on; empty passes all.
    pub request_headers: Vec<String>,
    /// Cookies of an allowing answer that the client gets.
    pub cookies: Vec<String>,
    /// Whether the body is sent along.
    pub forward_body: bool,
    /// The longest body sent along, in bytes; negative for any.
    pub max_body: i64,
    /// The longest body taken from the answer, in bytes; negative for any.
    pub max_response_body: i64,
    /// Whether a relative `Location` stays as it is.
    pub preserve_location: bool,
    /// Whether the request's method is used.
    pub preserve_method: bool,
    /// Whether any certificate of the auth server is good.
    pub insecure: bool,
}

/// A `headers` middleware.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeaderEdits {
    /// Lines for the service; an empty value takes the line away.
    pub request: Vec<(String, String)>,
    /// Lines for the client; an empty value takes the line away.
    pub response: Vec<(String, String)>,
}

/// A `redirectScheme` middleware.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RedirectScheme {
    /// The scheme to go to.
    pub scheme: String,
    /// The port to go to; empty for the scheme's own.
    pub port: String,
    /// Whether browsers may remember it.
    pub permanent: bool,
}

impl RedirectScheme {
    /// The scheme that a request is taken to have: what its `X-Forwarded-Proto` has `told`, else that of its socket.
    pub fn seen(told: Option<&[u8]>, secure: bool) -> &'static str {
        match told {
            Some(b"https" | b"wss") => "https",
            Some(b"http" | b"ws") => "http",
            _ if secure => "https",
            _ => "http",
        }
    }
}

/// A service as written: one type, if it is sound.
#[derive(Clone, Debug)]
pub struct ServiceDefinition {
    /// The service's name.
    pub at: At,
    /// Its types.
    pub types: Vec<ServiceType>,
}

/// How a service answers.
#[derive(Clone, Debug)]
pub enum ServiceType {
    /// By servers.
    LoadBalancer(LoadBalancer),
    /// A type that Traefik knows and that answers 503 here.
    Unmodelled(&'static str),
}

/// A `loadBalancer` service.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    /// The servers.
    pub servers: Vec<Server>,
    /// Whether the server sees the client's `Host`.
    pub pass_host: bool,
    /// The name of its servers transport.
    pub transport: Option<String>,
}

/// A server of a service.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its URL.
    pub url: Located<String>,
    /// Its share.
    pub weight: i64,
    /// Whether the URL's path goes before the request's.
    pub preserve_path: bool,
}

/// A servers transport as written.
#[derive(Clone, Debug)]
pub struct TransportDefinition {
    /// Its name.
    pub at: At,
    /// Whether any certificate of a server is good.
    pub insecure: bool,
}
