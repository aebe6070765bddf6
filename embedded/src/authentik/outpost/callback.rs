//! `/callback`: the way back from the authorize endpoint (`20-login-alice`, hop 10).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State as Extract};
use http::header::SET_COOKIE;
use http::{HeaderMap, Method, Response, StatusCode};

use super::served::Served;
use super::state_token::StateToken;
use super::{answer as go, cookie, sessions};
use crate::authentik::flows;
use crate::authentik::oauth2::params::Params;
use crate::authentik::oauth2::token;
use crate::authentik::shared::Shared;

/// Redeems the code and opens the session.
pub(super) async fn answer(
    Extract(shared): Extract<Arc<Shared>>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    match Served::at(&shared, &headers) {
        Some(served) => finish(&shared, &served, &method, &headers, &query.unwrap_or_default()),
        None => flows::answer::not_found(),
    }
}

/// The same for a query that a gateway forwarded. A state that is not this browser's, or a code that gives no
/// token, is a 400 without a text.
pub(super) fn finish(
    shared: &Shared,
    served: &Served,
    method: &Method,
    headers: &HeaderMap,
    query: &str,
) -> Response<Body> {
    let query = Params::parse(query);
    let provider = &served.provider;
    let state = StateToken::decode(query.get("state"), &provider.client_id, &provider.client_secret);
    let own = state.filter(|state| cookie::sent(headers, &served.cookie().name) == Some(&state.session));
    let Some(state) = own else {
        shared.logs.write("authentik", format!("event=\"invalid state\" provider={}", provider.name));
        return go::empty(StatusCode::BAD_REQUEST);
    };
    let form = Params::default()
        .with("grant_type", "authorization_code")
        .with("code", query.get("code"))
        .with("redirect_uri", served.callback());
    let issued = match token::redeem(shared, &served.core, &sessions::credentials(served), &form) {
        Ok(issued) => issued,
        Err(error) => {
            let line = format!("event=\"failed to redeem code\" provider={} error={error:?}", provider.name);
            shared.logs.write("authentik", line);
            return go::empty(StatusCode::BAD_REQUEST);
        }
    };
    let (_, cookie) = sessions::open(shared, served, &state.session, issued.claims, issued.access_token);
    let to = if state.redirect.is_empty() { &served.proxy.external_host } else { &state.redirect };
    let mut response = go::redirect(method, to);
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}
