//! The redirects between pages: `/`, default flows, cancelling (`36-invalidation-0`, hops 23 and 24).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State as Extract};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Response};

use super::super::session;
use super::super::shared::Shared;
use super::answer;
use super::begin::page_url;

/// `/`: to the library of a signed-in user, to the login of anyone else.
pub(super) async fn root(Extract(shared): Extract<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    let signed_in = session::current(&shared, &headers).is_some_and(|(_, session)| session.user.is_some());
    answer::redirect(if signed_in { "/if/user/" } else { "/flows/-/default/authentication/?next=/" })
}

/// `/flows/-/default/<designation>/`: to the page of the brand's flow, with the query kept. A pending plan goes.
pub(super) async fn default_flow(
    Extract(shared): Extract<Arc<Shared>>,
    Path(designation): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let slug = match designation.as_str() {
        "authentication" => "default-authentication-flow",
        "invalidation" => "default-invalidation-flow",
        _ => return answer::not_found(),
    };
    let query = query.unwrap_or_default();
    let mut encoder = url::form_urlencoded::Serializer::new(String::new());
    let query = encoder.extend_pairs(url::form_urlencoded::parse(query.as_bytes())).finish();
    let mut response = answer::redirect(&page_url(slug, &query));
    // One of the same flow makes room for its like, which is no change.
    let flow = shared.state().flow(slug).map(|flow| flow.pk);
    let changed = session::current(&shared, &headers)
        .and_then(|(_, session)| session.plan)
        .is_some_and(|plan| Some(plan.flow) != flow);
    let cookie = drop_plan(&shared, &headers).filter(|_| changed);
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// `/flows/-/cancel/`: gives the flow up, and goes to `next` or logs out.
pub(super) async fn cancel(
    Extract(shared): Extract<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let next = next_in(&query.unwrap_or_default());
    let mut response =
        answer::redirect(if next.is_empty() { "/flows/-/default/invalidation/" } else { &next });
    let cookie = drop_plan(&shared, &headers);
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// Drops a pending plan, and returns the cookie that a session that changed sets again.
fn drop_plan(shared: &Shared, headers: &HeaderMap) -> Option<HeaderValue> {
    let (key, _) = session::current(shared, headers).filter(|(_, session)| session.plan.is_some())?;
    if let Some(session) = shared.state_mut().sessions.get_mut(&key) {
        session.plan = None;
    }
    session::set_cookie(shared, &key)
}

/// The parameter `next` of a query, when it leads nowhere but to this host; empty otherwise.
pub(super) fn next_in(query: &str) -> String {
    let next = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    next.map(|(_, value)| value.into_owned())
        .filter(|next| next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/\\"))
        .unwrap_or_default()
}

/// The slug of the application whose authorize or end-session URL `next` is.
pub(super) fn application_in(shared: &Shared, next: &str) -> Option<String> {
    let slug = next.strip_prefix("/application/o/").and_then(|rest| rest.strip_suffix("/end-session/"));
    if let Some(slug) = slug {
        return shared.state().application(slug).map(|application| application.slug.clone());
    }
    let query = next.strip_prefix("/application/o/authorize/?")?;
    let (_, client) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "client_id")?;
    let state = shared.state();
    state.application_of(state.client(&client)?.pk).map(|application| application.slug.clone())
}
