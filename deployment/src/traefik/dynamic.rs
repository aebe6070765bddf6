//! What the files of a folder say together.

use std::path::PathBuf;
use std::sync::Arc;

use regex::Regex;

use crate::source::{Located, Place, Source};

/// Routers, middlewares and services of every file, the first definition of a name first.
#[derive(Clone, Debug, Default)]
pub struct Dynamic {
    /// The routers, in the order of the files.
    pub routers: Vec<RouterDefinition>,
    /// The middlewares, in the order of the files.
    pub middlewares: Vec<MiddlewareDefinition>,
    /// The services, in the order of the files.
    pub services: Vec<ServiceDefinition>,
    /// Definitions that lost against an earlier one of the same name.
    pub duplicates: Vec<Duplicate>,
}

/// Where a definition stands.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The file.
    pub source: Source,
    /// The name's place in it.
    pub place: Place,
}

impl Origin {
    /// The file's path.
    pub fn file(&self) -> PathBuf {
        self.source.path.to_path_buf()
    }
}

/// What has a name and a place.
pub trait Definition {
    /// The name, without the provider.
    fn name(&self) -> &str;

    /// Where it stands.
    fn origin(&self) -> &Origin;
}

/// A definition that lost against an earlier one.
#[derive(Clone, Debug)]
pub struct Duplicate {
    /// `router`, `middleware`, `service`.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// Where the one that counts stands.
    pub kept: Origin,
    /// Where the one that is skipped stands.
    pub skipped: Origin,
}

/// A router as written.
#[derive(Clone, Debug)]
pub struct RouterDefinition {
    /// Its name, without the provider.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
    /// Its rule.
    pub rule: Located<String>,
    /// Its service, as written.
    pub service: Located<String>,
    /// Its entry points; none means all of them.
    pub entry_points: Vec<Located<String>>,
    /// Its middlewares, as written.
    pub middlewares: Vec<Located<String>>,
    /// The priority written; none or 0 is the length of the rule.
    pub priority: Option<i64>,
    /// Whether it takes TLS requests.
    pub tls: bool,
}

/// A middleware as written.
#[derive(Clone, Debug)]
pub struct MiddlewareDefinition {
    /// Its name, without the provider.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
    /// What it does; more than one is an error that disables it.
    pub kinds: Vec<Middleware>,
}

/// What a middleware does.
#[derive(Clone, Debug)]
pub enum Middleware {
    /// Asks an auth server before it lets a request through.
    ForwardAuth(Arc<ForwardAuth>),
    /// Sets and removes headers.
    Headers(HeaderRules),
    /// Redirects to another scheme.
    RedirectScheme {
        /// The scheme.
        scheme: String,
        /// The port, when it is written.
        port: Option<String>,
        /// Whether the redirect is permanent.
        permanent: bool,
    },
    /// Takes the first of these prefixes off the path.
    StripPrefix(Vec<String>),
    /// Puts a prefix before the path.
    AddPrefix(String),
    /// Middlewares one after the other.
    Chain(Vec<Located<String>>),
    /// A middleware of Traefik that is not modelled: requests pass through it unchanged.
    Unmodelled(String),
}

/// The options of forwardAuth.
#[derive(Clone, Debug, Default)]
pub struct ForwardAuth {
    /// Where to ask.
    pub address: String,
    /// Whether X-Forwarded-* of a trusted entry point are handed on.
    pub trust_forward_header: bool,
    /// The auth server's headers that are put on the request, with their places.
    pub auth_response_headers: Vec<Located<String>>,
    /// The same by a pattern, matched against canonical names; the error when it does not compile.
    pub auth_response_headers_regex: Option<Result<Regex, String>>,
    /// The client's headers that the auth server sees; empty means all.
    pub auth_request_headers: Vec<String>,
    /// The auth server's cookies that are given to the client on success.
    pub add_auth_cookies_to_response: Vec<String>,
    /// Whether a relative `Location` of the auth server stays relative.
    pub preserve_location_header: bool,
    /// Whether the auth server sees the request's method.
    pub preserve_request_method: bool,
    /// Whether the auth server gets the request's body.
    pub forward_body: bool,
    /// The longest body handed on, in bytes; a longer one is refused with 401.
    pub max_body_size: Option<usize>,
    /// The longest answer taken, in bytes; a longer one is refused with 401.
    pub max_response_body_size: Option<usize>,
}

/// The options of the headers middleware that are modelled.
#[derive(Clone, Debug, Default)]
pub struct HeaderRules {
    /// Put on the request; an empty value removes the header.
    pub request: Vec<(String, String)>,
    /// Put on the response; an empty value removes the header.
    pub response: Vec<(String, String)>,
}

/// A service as written.
#[derive(Clone, Debug)]
pub struct ServiceDefinition {
    /// Its name, without the provider.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
    /// The URLs of its servers.
    pub servers: Vec<Located<String>>,
    /// Whether servers see the client's `Host`.
    pub pass_host_header: bool,
}

macro_rules! definitions {
    ($($shape:ty),*) => {
        $(impl Definition for $shape {
            fn name(&self) -> &str {
                &self.name
            }

            fn origin(&self) -> &Origin {
                &self.origin
            }
        })*
    };
}

definitions!(RouterDefinition, MiddlewareDefinition, ServiceDefinition);
