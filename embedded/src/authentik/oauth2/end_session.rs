//! `/application/o/<slug>/end-session/` (`45-end-session-*` to `49-end-session-*`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State as Extract};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response};

use super::params::Params;
use super::{login, page};
use crate::authentik::flows::{self, Start, answer};
use crate::authentik::session;
use crate::authentik::shared::Shared;

/// Sends the browser through the provider's invalidation flow, which ends on the session-end page. Neither
/// `id_token_hint` nor `post_logout_redirect_uri` changes that.
pub(super) async fn get(
    Extract(shared): Extract<Arc<Shared>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let query = query.unwrap_or_default();
    let current = session::current(&shared, &headers);
    let pending = current.as_ref().is_some_and(|(_, session)| session.plan.is_some());
    if pending && shared.profile.pending_plan_ends_session_quietly {
        return quietly();
    }
    let found = {
        let state = shared.state();
        state.application(&slug).and_then(|application| {
            Some((application.clone(), state.providers.get(&application.provider?)?.clone()))
        })
    };
    let Some((application, provider)) = found else { return answer::not_found() };
    let user =
        current.and_then(|(key, session)| Some((key, shared.state().users.get(&session.user?)?.clone())));
    let Some((key, user)) = user else {
        let path = format!("/application/o/{slug}/end-session/");
        return login::begin(&shared, &headers, (&provider, &application), &path, &query);
    };
    if !shared.state().lets_in(&user, &application) {
        return page::denied(&shared, &key);
    }
    let query = if query.is_empty() { query } else { Params::parse(&query).encoded() };
    let start = Start { application: Some(slug), query, session_end: true, ..Start::default() };
    flows::begin(&shared, &headers, provider.invalidation_flow, start)
}

/// A form has no CSRF token here.
pub(super) async fn post() -> Response<Body> {
    page::forged()
}

/// The trap: a pending flow is taken for a logout under way, and nothing is logged out.
fn quietly() -> Response<Body> {
    let mut response = answer::blank(http::StatusCode::OK);
    *response.body_mut() = Body::from("<html><body>Logout successful</body></html>");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
