//! Beginning a login: `/start`, and what forward auth answers to a stranger (`10-unauth-chain-*`,
//! `13-outpost-paths-unauth`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State as Extract};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::SET_COOKIE;
use http::{HeaderMap, Method, Response};
use jiff::Timestamp;
use ssoproof_deployment::is_within;
use url::Url;

use super::served::{Served, authority};
use super::state_token::StateToken;
use super::{answer as go, cookie, sessions};
use crate::authentik::flows;
use crate::authentik::oauth2::params::Params;
use crate::authentik::shared::Shared;

/// `/start?rd=<where to go afterwards>`.
pub(super) async fn answer(
    Extract(shared): Extract<Arc<Shared>>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let Some(served) = Served::at(&shared, &headers) else { return flows::answer::not_found() };
    let query = Params::parse(query.unwrap_or_default());
    let redirect = allowed(&served, query.get("rd")).unwrap_or_default();
    begin(&shared, &served, &method, &headers, &redirect)
}

/// The 302 to the authorize endpoint, from which the browser goes to `redirect` in the end; an empty one is the
/// service's external host.
pub(super) fn begin(
    shared: &Shared,
    served: &Served,
    method: &Method,
    headers: &HeaderMap,
    redirect: &str,
) -> Response<Body> {
    let scope = served.cookie();
    let known = cookie::sent(headers, &scope.name);
    let session = known.map_or_else(cookie::login_id, str::to_owned);
    let client_id = &served.provider.client_id;
    let state = StateToken {
        client_id: client_id.clone(),
        session: session.clone(),
        nonce: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()),
        redirect: redirect.to_owned(),
    };
    let query = Params::default()
        .with("client_id", client_id)
        .with("redirect_uri", served.callback())
        .with("response_type", "code")
        .with("scope", sessions::scopes(shared, served).join(" "))
        .with("state", state.encode(&served.provider.client_secret))
        .encoded();
    let mut response = go::redirect(method, &format!("{}/application/o/authorize/?{query}", served.browser));
    if known.is_none() || shared.profile.outpost_repeats_cookie {
        let cookie = cookie::set(&scope, &session, served.cookie_age(), Timestamp::now());
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    }
    response
}

/// The 302 to `/start`, with a session that has nothing in it yet, from which the browser comes back to `path`.
pub(super) fn detour(
    shared: &Shared,
    served: &Served,
    method: &Method,
    headers: &HeaderMap,
    path: &str,
) -> Response<Body> {
    let query = Params::default().with("rd", served.own(path)).encoded();
    let mut response =
        go::redirect(method, &format!("{}?{query}", served.own("/outpost.goauthentik.io/start")));
    response.headers_mut().extend(stored_cookie(shared, served, headers).map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// The cookie of a session stored without a login.
pub(super) fn stored_cookie(
    shared: &Shared,
    served: &Served,
    headers: &HeaderMap,
) -> Option<http::HeaderValue> {
    let scope = served.cookie();
    let id =
        cookie::sent(headers, &scope.name).map_or_else(|| cookie::stored_id(&shared.profile), str::to_owned);
    cookie::set(&scope, &id, served.cookie_age(), Timestamp::now())
}

/// `rd` as a whole URL, when it leads to the service, or into its domain.
fn allowed(served: &Served, rd: &str) -> Option<String> {
    if rd.is_empty() {
        return None;
    }
    let external = Url::parse(&served.proxy.external_host).ok()?;
    let url = external.join(rd).ok()?;
    let host = authority(url.as_str()).to_owned();
    let fits = if served.is_domain() {
        let domain = served.proxy.cookie_domain.trim_start_matches('.');
        !domain.is_empty() && is_within(&host, domain)
    } else {
        host == authority(&served.proxy.external_host)
    };
    fits.then(|| if Url::parse(rd).is_ok() { rd.to_owned() } else { url.to_string() })
}
