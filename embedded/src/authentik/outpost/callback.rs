//! The way back from the login (`20-login-*`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use http::header::SET_COOKIE;
use http::{HeaderMap, Method, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::super::model::ProxySession;
use super::super::oauth2::redeem;
use super::super::shared::Shared;
use super::application::{self, Application};
use super::state_token::StateToken;
use super::{answer, cookie};

/// `/outpost.goauthentik.io/callback`.
pub(super) async fn callback(Extract(shared): Extract<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let host = application::host(&parts.headers);
    let Some(application) = application::find(&shared, &host) else {
        return application::unknown_host(&shared, &host);
    };
    let query = parts.uri.query().unwrap_or_default();
    finish(&shared, &application, &parts.method, &parts.headers, query)
}

/// Takes the code of `query` when the state is this browser's; 400 without words otherwise.
pub(super) fn finish(
    shared: &Shared,
    application: &Application,
    method: &Method,
    headers: &HeaderMap,
    query: &str,
) -> Response<Body> {
    let refused = |reason: &str| {
        shared.logs.write("outpost", format!("app `{}`: {reason}", application.provider.name));
        answer::empty(StatusCode::BAD_REQUEST)
    };
    let one = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let provider = &application.provider;
    let token = one("state").unwrap_or_default();
    let Some(state) = StateToken::decode(&token, &provider.client_id, &provider.client_secret) else {
        return refused("invalid state");
    };
    let name = cookie::name(&provider.client_id);
    if cookie::sent(headers, &name) != Some(state.session.as_str()) {
        return refused("mismatched session ID");
    }
    let code = one("code").unwrap_or_default();
    let redeemed = redeem(shared, provider, &code, &application.redirect_uri(), "", &application.base);
    let (_, issued) = match redeemed {
        Ok(redeemed) => redeemed,
        Err(error) => return refused(&format!("failed to redeem code: {}", error.code())),
    };
    let now = Timestamp::now();
    let session = ProxySession {
        provider: provider.pk,
        claims: Some(issued.claims),
        access_token: issued.access_token,
        id_token: issued.id_token,
        expires: now.checked_add(SignedDuration::from_secs(issued.lifetime)).unwrap_or(now),
    };
    shared.state_mut().proxy_sessions.insert(state.session.clone(), session);
    let back = match state.redirect.as_str() {
        "" => application.proxy.external_host.as_str(),
        back => back,
    };
    let mut response = answer::redirect(method, back);
    // A second has passed by then, as recorded: 3599.
    if let Some(cookie) = cookie::set(&name, &state.session, issued.lifetime - 1, application.secure(), now) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
