//! Whether the program is up (`truth/authentik`: `15-health-version`).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{CONTENT_TYPE, VARY};
use http::{HeaderValue, Response, StatusCode};

use super::flows::answer;
use super::shared::Shared;

/// Health as the core tells it, with the core's headers.
pub(crate) fn core_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/-/health/ready/", get(async || answer::blank(StatusCode::OK)))
        .route("/-/metrics/", get(async || answer::blank(StatusCode::UNAUTHORIZED)))
}

/// What the process in front of the core answers by itself, without the core's headers.
pub(crate) fn front_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/-/health/live/", get(async || plain("")))
        .route("/robots.txt", get(async || robots()))
}

fn plain(text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

fn robots() -> Response<Body> {
    let mut response = plain("User-agent: *\nDisallow: /\n");
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// Whether a path is answered without the database.
pub(crate) fn needs_no_database(path: &str) -> bool {
    matches!(path, "/-/health/live/" | "/robots.txt" | "/outpost.goauthentik.io/ping")
}

/// Whether a path asks whether the program is ready: it is not, without the database.
pub(crate) fn is_readiness(path: &str) -> bool {
    path == "/-/health/ready/"
}
