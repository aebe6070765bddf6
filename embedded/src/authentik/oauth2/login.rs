//! Sending a browser to the login and back (`10-unauth-chain-*`, `49-end-session-unauth`).

use axum::body::Body;
use http::header::SET_COOKIE;
use http::{HeaderMap, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::params::Params;
use crate::authentik::flows::{self, Start, answer};
use crate::authentik::model::{Application, Provider};
use crate::authentik::session;
use crate::authentik::shared::Shared;

/// What Python's `quote` leaves as it is.
pub(super) const QUOTED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

/// The 302 to the provider's login flow, from which the browser comes back to `path` with `query`.
pub(super) fn begin(
    shared: &Shared,
    headers: &HeaderMap,
    (provider, application): (&Provider, &Application),
    path: &str,
    query: &str,
) -> Response<Body> {
    let next = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    if shared.profile.extra_authentication_hop {
        return through_default_flow(shared, headers, &next);
    }
    let flow = {
        let state = shared.state();
        let default = || state.flow("default-authentication-flow").map(|flow| flow.pk);
        provider.authentication_flow.or_else(default)
    };
    let Some(flow) = flow else { return answer::not_found() };
    let query = Params::parse(query).with("next", &next).encoded();
    let start = Start { application: Some(application.slug.clone()), next, query, ..Start::default() };
    flows::begin(shared, headers, flow, start)
}

/// The way of 2025.8: over `/flows/-/default/authentication/`, in a session opened here.
fn through_default_flow(shared: &Shared, headers: &HeaderMap, next: &str) -> Response<Body> {
    let next = utf8_percent_encode(next, QUOTED);
    let mut response = answer::redirect(&format!("/flows/-/default/authentication/?next={next}"));
    let key =
        session::current(shared, headers).map_or_else(|| session::open(shared, headers), |(key, _)| key);
    if let Some(cookie) = session::set_cookie(shared, &key) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
