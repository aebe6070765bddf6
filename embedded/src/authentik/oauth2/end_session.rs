//! The end-session endpoint of an application (`45-*` to `49-*`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State as Extract};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use maud::html;

use super::super::flows::{self, Start, answer};
use super::super::session;
use super::super::shared::Shared;

/// `GET /application/o/<slug>/end-session/`: starts the provider's invalidation flow. What it ends is that flow's
/// affair; the default one ends nothing and shows `ak-stage-session-end`.
pub(super) async fn begin(
    Extract(shared): Extract<Arc<Shared>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let session = session::current(&shared, &headers).map(|(_, session)| session);
    let pending = session.as_ref().is_some_and(|session| session.plan.is_some());
    if pending && shared.profile.pending_plan_ends_session_quietly {
        return quiet();
    }
    let query = query.unwrap_or_default();
    let (provider_flow, login) = {
        let state = shared.state();
        let application = state.application(&slug);
        let provider = application.and_then(|found| state.providers.get(&found.provider?));
        (
            provider.map(|provider| provider.invalidation_flow),
            state.flow("default-authentication-flow").map(|flow| flow.pk),
        )
    };
    let Some(invalidation) = provider_flow else { return answer::not_found() };
    if session.is_none_or(|session| session.user.is_none()) {
        let path = format!("/application/o/{slug}/end-session/");
        let next = if query.is_empty() { path } else { format!("{path}?{query}") };
        let encoded: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let start = Start { application: None, query: format!("next={encoded}"), next, session_end: false };
        return match login {
            Some(login) => flows::begin(&shared, &headers, login, start),
            None => answer::not_found(),
        };
    }
    let start = Start { application: Some(slug), next: String::new(), query, session_end: true };
    flows::begin(&shared, &headers, invalidation, start)
}

/// `POST`: refused for want of a CSRF token.
pub(super) async fn forged() -> Response<Body> {
    let page = html! {
        html { head { title { "403 Forbidden" } } body { h1 { "Forbidden " span { "(403)" } } p { "CSRF verification failed. Request aborted." } } }
    };
    answer::html_page(StatusCode::FORBIDDEN, page)
}

/// With a flow pending in the browser nothing is logged out, whatever the application
/// (`49-end-session-pending-plan`).
fn quiet() -> Response<Body> {
    let mut response = Response::new(Body::from("<html><body>Logout successful</body></html>"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
