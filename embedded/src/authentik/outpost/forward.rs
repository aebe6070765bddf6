//! Forward auth: whether a gateway may let a request through, and with which headers (`11-unauth-variants`,
//! `12-outpost-auth-endpoint-unauth`, `20-login-*`, `24-spoof-auth`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State as Extract};
use http::header::{SET_COOKIE, USER_AGENT};
use http::{HeaderMap, Method, Response, StatusCode};
use regex::Regex;

use super::forwarded::Forwarded;
use super::served::Served;
use super::{answer as go, callback, headers as identity, sessions, sign_out, start};
use crate::authentik::flows;
use crate::authentik::shared::Shared;

const CALLBACK: &str = "X-authentik-auth-callback";
const LOGOUT: &str = "X-authentik-logout";

/// `/auth/traefik`, and `/auth/caddy` with the same headers.
pub(super) async fn traefik(
    Extract(shared): Extract<Arc<Shared>>,
    method: Method,
    uri: http::Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let Some(served) = Served::at(&shared, &headers) else { return flows::answer::not_found() };
    match Forwarded::from_traefik(&headers) {
        Some(url) => redirecting(&shared, &served, &url, &method, &headers, uri.path()),
        None => misconfigured(),
    }
}

/// `/auth/envoy/<path of the service>`.
pub(super) async fn envoy(
    Extract(shared): Extract<Arc<Shared>>,
    method: Method,
    Path(path): Path<String>,
    uri: http::Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let Some(served) = Served::at(&shared, &headers) else { return flows::answer::not_found() };
    match Forwarded::from_envoy(&headers, &path) {
        Some(url) => redirecting(&shared, &served, &url, &method, &headers, uri.path()),
        None => misconfigured(),
    }
}

/// `/auth/nginx`: a stranger gets a 401, nginx does the rest.
pub(super) async fn nginx(Extract(shared): Extract<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    let Some(served) = Served::at(&shared, &headers) else { return flows::answer::not_found() };
    let Some(url) = Forwarded::from_nginx(&headers) else { return misconfigured() };
    if let Some(response) = admitted(&shared, &served, &url, &headers) {
        return response;
    }
    if url.path().starts_with("/outpost.goauthentik.io") {
        return go::empty(StatusCode::OK);
    }
    let mut response = go::error(StatusCode::UNAUTHORIZED, "unauthorized request");
    response
        .headers_mut()
        .extend(start::stored_cookie(&shared, &served, &headers).map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// The answer to a gateway that passes redirects on to the browser.
fn redirecting(
    shared: &Shared,
    served: &Served,
    url: &Forwarded,
    method: &Method,
    headers: &HeaderMap,
    own_path: &str,
) -> Response<Body> {
    if url.says(CALLBACK) {
        return callback::finish(shared, served, method, headers, url.query());
    }
    if url.says(LOGOUT) {
        return sign_out::finish(shared, served, method, headers, own_path);
    }
    if let Some(response) = admitted(shared, served, url, headers) {
        return response;
    }
    if url.path().starts_with("/outpost.goauthentik.io/") {
        return go::empty(StatusCode::OK);
    }
    start::begin(shared, served, method, headers, url.url())
}

/// The 200 for a request that may pass: with the user's headers, or without any on a path that is open to all.
fn admitted(
    shared: &Shared,
    served: &Served,
    url: &Forwarded,
    headers: &HeaderMap,
) -> Option<Response<Body>> {
    let found = sessions::current(shared, served, headers).map(|session| (session, None));
    let Some((session, cookie)) = found.or_else(|| sessions::by_header(shared, served, headers)) else {
        return is_open(served, url).then(|| go::empty(StatusCode::OK));
    };
    let mut response = go::empty(StatusCode::OK);
    identity::add(shared, served, &session, response.headers_mut());
    if let Some(agent) = headers.get(USER_AGENT) {
        response.headers_mut().insert(USER_AGENT, agent.clone());
    }
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    Some(response)
}

/// Whether a line of the provider's `skip_path_regex` matches: the path of a service, the URL within a domain.
fn is_open(served: &Served, url: &Forwarded) -> bool {
    let text = if served.is_domain() { url.url() } else { url.path() };
    let lines = served.proxy.skip_path_regex.lines().filter(|line| !line.is_empty());
    lines.filter_map(|line| Regex::new(line).ok()).any(|pattern| pattern.is_match(text))
}

/// A gateway that does not say what was asked for.
fn misconfigured() -> Response<Body> {
    go::error(StatusCode::INTERNAL_SERVER_ERROR, "configuration error")
}
