//! Every path below `/api/v3/`, told apart by [`RESOURCES`](super::RESOURCES).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State as Extract};
use axum::routing::any;
use bytes::Bytes;
use http::header::{HeaderValue, SET_COOKIE};
use http::{HeaderMap, Method, Response};

use super::super::session;
use super::super::shared::Shared;
use super::RESOURCES;
use super::call::Call;
use super::collection::Answered;
use super::refusal::{Refusal, response};

/// The paths of this part.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/api/v3/{*path}", any(handle))
}

async fn handle(
    Extract(shared): Extract<Arc<Shared>>,
    method: Method,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let query = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let call = Call { shared: &shared, method: &method, query, headers: &headers, body: &body };
    let (answer, allow) = dispatch(&call, &path);
    let mut response = response(answer, allow, &shared.profile);
    // A session that was used is saved, and handed out again; a cookie whose session is over is taken away.
    let current = session::current(&shared, &headers).filter(|(_, session)| session.user.is_some());
    let cookie: Option<HeaderValue> = current.and_then(|(key, _)| session::set_cookie(&shared, &key));
    let cookie = cookie.or_else(|| session::is_over(&shared, &headers).then(session::remove_cookie));
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Finds the resource of a path. Every path of the API ends with a slash.
fn dispatch(call: &Call<'_>, path: &str) -> Answered {
    let Some(path) = path.strip_suffix('/') else { return (Err(Refusal::NoSuchPath), "") };
    let found = RESOURCES.iter().find_map(|(prefix, serve)| {
        let rest = path.strip_prefix(prefix)?;
        (rest.is_empty() || rest.starts_with('/')).then_some((rest.trim_start_matches('/'), serve))
    });
    let Some((rest, serve)) = found else { return (Err(Refusal::NoSuchPath), "") };
    let rest: Vec<_> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
    serve(call, &rest)
}
