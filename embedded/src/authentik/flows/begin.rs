//! How another part of the program sends a browser through a flow.

use axum::body::Body;
use http::header::SET_COOKIE;
use http::{HeaderMap, Response};
use uuid::Uuid;

use super::super::model::Plan;
use super::super::session;
use super::super::shared::Shared;
use super::answer;
use super::plan::Start;

/// Puts a plan for `flow` into the browser's core session, opened when there is none, and answers the 302 to the
/// flow's page with the session's cookie (`20-login-alice`, hop 1; `45-end-session-0`, hop 16).
///
/// A flow that does not exist gives the core's 404 page.
pub(crate) fn begin(shared: &Shared, headers: &HeaderMap, flow: Uuid, start: Start) -> Response<Body> {
    let found = shared.state().flows.get(&flow).cloned();
    let Some(flow) = found else { return answer::not_found() };
    let key =
        session::current(shared, headers).map_or_else(|| session::open(shared, headers), |found| found.0);
    if let Some(session) = shared.state_mut().sessions.get_mut(&key) {
        session.plan = Some(Plan::new(&flow, &start));
    }
    let mut response = answer::redirect(&page_url(&flow.slug, &start.query));
    if let Some(cookie) = session::set_cookie(shared, &key) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// The URL of a flow's page.
pub(crate) fn page_url(slug: &str, query: &str) -> String {
    if query.is_empty() { format!("/if/flow/{slug}/") } else { format!("/if/flow/{slug}/?{query}") }
}
