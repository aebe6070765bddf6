//! From a request to its answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use http::{Request, StatusCode, Version};
use hyper::body::Incoming;
use ssoproof_deployment::traefik::{
    Action, EntryPoint, HeaderEdits, Headers, Profile, RequestFacts, Router, RuntimeConfig, forwarded_path,
    routing_path,
};
use tokio_util::sync::CancellationToken;

use super::auth::{self, Decision};
use super::call::{Body, Call, LONGEST_HEAD};
use super::provider::Provider;
use super::reply::{self, Reply};
use super::settings::Settings;
use super::{forwarded, hop, steps, upstream};
use crate::dial::Client;

/// What every request of one gateway shares.
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) provider: Arc<Provider>,
    pub(super) verified: Client,
    pub(super) unverified: Client,
    pub(super) turn: AtomicUsize,
    pub(super) stop: CancellationToken,
}

impl State {
    /// The client for upstreams.
    pub(super) fn client(&self, insecure: bool) -> &Client {
        if insecure { &self.unverified } else { &self.verified }
    }

    pub(super) fn log(&self, line: String) {
        self.settings.logs.write("traefik", line);
    }
}

/// The header lines as rules see them.
struct Lines<'a>(&'a HeaderMap);

impl Headers for Lines<'_> {
    fn any(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.0.get_all(name).iter().any(|value| test(value.as_bytes()))
    }
}

/// What is to be done with the answer, in the reverse order of the middlewares.
enum After<'a> {
    Edit(&'a HeaderEdits),
    Cookies(&'a [String], Vec<HeaderValue>),
}

/// Answers `request`, which came on `entry` from `client`.
pub(super) async fn handle(
    state: &State,
    entry: &EntryPoint,
    secure: bool,
    client: IpAddr,
    request: Request<Incoming>,
) -> Reply {
    let mut call = match call(state, secure, client, request) {
        Ok(call) => call,
        Err(reply) => return *reply,
    };
    let profile = state.settings.profile;
    forwarded::enter(&mut call, state.settings.trusted.includes(client), &state.settings.hostname, profile);
    let config = state.provider.config();
    match route(&config, entry, &call, profile) {
        Some(router) => pass(state, router, call).await,
        None => reply::no_router(),
    }
}

fn route<'a>(
    config: &'a RuntimeConfig,
    entry: &EntryPoint,
    call: &Call,
    profile: &Profile,
) -> Option<&'a Router> {
    let facts = RequestFacts {
        host: &call.host,
        path: &routing_path(&call.path, profile),
        query: call.query.as_deref().unwrap_or_default(),
        method: call.method.as_str(),
        headers: &Lines(&call.headers),
        client: call.client,
    };
    config.winner(&entry.name, call.secure, &facts)
}

/// The request with its host, path and query set apart.
fn call(
    state: &State,
    secure: bool,
    client: IpAddr,
    mut request: Request<Incoming>,
) -> Result<Call, Box<Reply>> {
    let upgrade = hop::upgrade(request.headers()).map(|_| hyper::upgrade::on(&mut request));
    let (mut parts, body) = request.into_parts();
    let head: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if head + parts.uri.path().len() > LONGEST_HEAD {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Box::new(reply::error(status, "431 Request Header Fields Too Large")));
    }
    let lines = parts.headers.get_all(HOST).iter().count();
    let line = parts.headers.remove(HOST);
    if lines > 1 || (lines == 0 && parts.version == Version::HTTP_11) {
        return Err(Box::new(reply::error(StatusCode::BAD_REQUEST, "400 Bad Request")));
    }
    // An absolute target wins over `Host` (`truth/traefik/3.6.7-2-identity-headers`: `absolute_form`).
    let host = match (parts.uri.authority(), line) {
        (Some(authority), _) => authority.as_str().to_owned(),
        (None, Some(line)) => String::from_utf8_lossy(line.as_bytes()).into_owned(),
        (None, None) => String::new(),
    };
    let path = match parts.uri.path() {
        "" => "/",
        path => path,
    };
    Ok(Call {
        host,
        path: forwarded_path(path, state.settings.profile),
        // Semicolons part a query in Traefik.
        query: parts.uri.query().map(|query| query.replace(';', "&")),
        method: parts.method,
        headers: parts.headers,
        secure,
        client,
        upgrade,
        body: Body::Unread(body),
    })
}

/// Runs the router's middlewares, then its service, and what the middlewares do to the answer.
async fn pass(state: &State, router: &Router, mut call: Call) -> Reply {
    let mut after = Vec::new();
    let mut early = None;
    for step in &router.steps {
        early = match &step.action {
            Action::ForwardAuth { auth, pattern } => {
                match auth::ask(state, &step.name, auth, pattern.as_ref(), &mut call).await {
                    Decision::Allowed(cookies) => {
                        after.push(After::Cookies(&auth.cookies, cookies));
                        None
                    }
                    Decision::Refused(reply) => Some(reply),
                }
            }
            Action::Headers(edits) => {
                steps::edit_request(&edits.request, &mut call);
                after.push(After::Edit(edits));
                None
            }
            Action::RedirectScheme(redirect) => steps::redirect_scheme(redirect, &call),
            Action::RedirectRegex { regex, replacement, permanent } => {
                steps::redirect_regex(regex, replacement, *permanent, &call)
            }
            Action::StripPrefix(prefixes) => {
                steps::strip_prefix(prefixes, &mut call);
                None
            }
            Action::AddPrefix(prefix) => {
                steps::add_prefix(prefix, &mut call);
                None
            }
            Action::ReplacePath(path) => {
                steps::replace_path(path, &mut call);
                None
            }
            Action::ReplacePathRegex { regex, replacement } => {
                steps::replace_path_regex(regex, replacement, &mut call);
                None
            }
            Action::PassThrough(_) => None,
        };
        if early.is_some() {
            break;
        }
    }
    let mut reply = match (early, &router.service) {
        (Some(reply), _) => reply,
        (None, Some(service)) => upstream::forward(state, service, call).await,
        // `noop@internal`
        (None, None) => reply::plain(StatusCode::IM_A_TEAPOT, ""),
    };
    for after in after.into_iter().rev() {
        match after {
            After::Edit(edits) => steps::edit(&edits.response, reply.headers_mut()),
            After::Cookies(names, cookies) => auth::add_cookies(names, &cookies, reply.headers_mut()),
        }
    }
    if reply.status() == StatusCode::NOT_MODIFIED {
        reply.headers_mut().remove(CONTENT_TYPE);
        reply.headers_mut().remove(CONTENT_LENGTH);
    }
    reply
}
