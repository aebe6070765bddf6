//! The way to the login: a state, a cookie, and a redirect to the authorize endpoint (`10-*`, `13-*`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use http::header::SET_COOKIE;
use http::{HeaderMap, Method, Response};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::super::model::ProxySession;
use super::super::shared::Shared;
use super::application::{self, Application};
use super::state_token::StateToken;
use super::{answer, cookie};

/// The scopes that the outpost asks for, in the order recorded.
pub(super) const SCOPES: [&str; 5] = ["entitlements", "email", "openid", "profile", "ak_proxy"];

/// Sends the browser to the login; `back` is where it goes afterwards, empty for the service's own address.
pub(super) fn begin(
    shared: &Shared,
    application: &Application,
    method: &Method,
    headers: &HeaderMap,
    back: &str,
) -> Response<Body> {
    let name = cookie::name(&application.provider.client_id);
    let sent = cookie::sent(headers, &name).map(str::to_owned);
    let id = sent.clone().unwrap_or_else(cookie::login_id);
    let now = Timestamp::now();
    let session = ProxySession {
        provider: application.provider.pk,
        claims: None,
        access_token: String::new(),
        id_token: String::new(),
        expires: now
            .checked_add(SignedDuration::from_secs(application.provider.access_token_validity.seconds))
            .unwrap_or(now),
    };
    shared.state_mut().proxy_sessions.insert(id.clone(), session);
    let state = StateToken {
        client_id: application.provider.client_id.clone(),
        session: id.clone(),
        nonce: cookie::login_id(),
        redirect: back.to_owned(),
    };
    let redirect_uri = application.redirect_uri();
    let scope = SCOPES.join(" ");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &application.provider.client_id)
        .append_pair("redirect_uri", &redirect_uri)
        .append_pair("response_type", "code")
        .append_pair("scope", &scope)
        .append_pair("state", &state.encode(&application.provider.client_secret))
        .finish();
    let location = application.base.join(&format!("/application/o/authorize/?{query}"));
    let mut response = answer::redirect(method, &location);
    if sent.is_none() {
        // One second is added as the real one rounds up (recorded: 3601).
        let age = application.provider.access_token_validity.seconds + 1;
        if let Some(cookie) = cookie::set(&name, &id, age, application.secure(), now) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

/// `/outpost.goauthentik.io/start?rd=…`: only a URL of the service itself is kept (`13-outpost-paths-unauth`).
pub(super) async fn start(Extract(shared): Extract<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let host = application::host(&parts.headers);
    let Some(application) = application::find(&shared, &host) else {
        return application::unknown_host(&shared, &host);
    };
    let query = parts.uri.query().unwrap_or_default();
    let back = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "rd")
        .and_then(|(_, back)| own(&application, &back))
        .unwrap_or_default();
    begin(&shared, &application, &parts.method, &parts.headers, &back)
}

/// `back` as a URL, when it is one of the service itself; a relative one counts from the service's address.
fn own(application: &Application, back: &str) -> Option<String> {
    let own = Url::parse(&application.proxy.external_host).ok()?;
    let url = own.join(back).ok()?;
    let domain = application.proxy.cookie_domain.trim_start_matches('.');
    let below = application.proxy.mode == "forward_domain"
        && !domain.is_empty()
        && url.host_str().is_some_and(|host| host == domain || host.ends_with(&format!(".{domain}")));
    if own.host_str() != url.host_str() && !below {
        return None;
    }
    Some(if Url::parse(back).is_ok() { back.to_owned() } else { url.into() })
}
