//! `sign_out`: drops the user's proxy sessions, everywhere, and goes on to end-session
//! (`30-*` to `35-*`, `39-two-browsers`). The core session is not its affair.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use http::header::SET_COOKIE;
use http::{HeaderMap, Method, Response};
use jiff::Timestamp;
use serde_json::Value;

use super::super::server::Hangup;
use super::super::shared::Shared;
use super::application::{self, Application};
use super::{answer, auth, cookie};

/// `/outpost.goauthentik.io/sign_out`. A `rd` is ignored.
pub(super) async fn sign_out(Extract(shared): Extract<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let host = application::host(&parts.headers);
    match application::find(&shared, &host) {
        Some(application) => end(&shared, &application, &parts.method, &parts.headers),
        None => application::unknown_host(&shared, &host),
    }
}

/// Signs the browser's user out of every service; without a session the login is first.
pub(super) fn end(
    shared: &Shared,
    application: &Application,
    method: &Method,
    headers: &HeaderMap,
) -> Response<Body> {
    let provider = &application.provider;
    let Some((claims, _)) = auth::session(shared, application, headers) else {
        return first_sign_in(application, method, headers);
    };
    if !shared.profile.sign_out_answers {
        let mut response = answer::empty(http::StatusCode::OK);
        response.extensions_mut().insert(Hangup);
        return response;
    }
    let sent = cookie::sent(headers, &cookie::name(&provider.client_id)).unwrap_or_default().to_owned();
    let hint = {
        let mut state = shared.state_mut();
        let hint =
            state.proxy_sessions.get(&sent).map(|session| session.id_token.clone()).unwrap_or_default();
        if let Some(sub) = claims.get("sub").and_then(Value::as_str) {
            state.drop_proxy_sessions(sub);
        }
        hint
    };
    let location = application
        .base
        .join(&format!("/application/o/{}/end-session/?id_token_hint={hint}", application.slug));
    answer::redirect(method, &location)
}

fn first_sign_in(application: &Application, method: &Method, headers: &HeaderMap) -> Response<Body> {
    let own = application.proxy.external_host.trim_end_matches('/');
    let back: String =
        url::form_urlencoded::byte_serialize(format!("{own}/outpost.goauthentik.io/sign_out").as_bytes())
            .collect();
    let mut response = answer::redirect(method, &format!("{own}/outpost.goauthentik.io/start?rd={back}"));
    let name = cookie::name(&application.provider.client_id);
    if cookie::sent(headers, &name).is_none() {
        let age = application.provider.access_token_validity.seconds + 1;
        let set = cookie::set(&name, &cookie::stored_id(), age, application.secure(), Timestamp::now());
        if let Some(set) = set {
            response.headers_mut().append(SET_COOKIE, set);
        }
    }
    response
}
