//! The embedded outpost: forward auth for Traefik, nginx, Caddy and Envoy.

pub(crate) mod answer;
mod callback;
pub(crate) mod cookie;
mod forward;
mod forwarded;
mod headers;
mod served;
mod sessions;
mod sign_out;
mod start;
pub(crate) mod state_token;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State as Extract;
use axum::routing::any;
use http::{HeaderMap, Response, StatusCode};

use self::served::Served;
use super::flows;
use super::shared::Shared;

/// The paths of this part. A host that no provider of the outpost serves gets the core's 404 page.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/outpost.goauthentik.io/auth/traefik", any(forward::traefik))
        .route("/outpost.goauthentik.io/auth/caddy", any(forward::traefik))
        .route("/outpost.goauthentik.io/auth/nginx", any(forward::nginx))
        .route("/outpost.goauthentik.io/auth/envoy/{*path}", any(forward::envoy))
        .route("/outpost.goauthentik.io/start", any(start::answer))
        .route("/outpost.goauthentik.io/callback", any(callback::answer))
        .route("/outpost.goauthentik.io/sign_out", any(sign_out::answer))
        .route("/outpost.goauthentik.io/ping", any(async || answer::empty(StatusCode::NO_CONTENT)))
        .route("/outpost.goauthentik.io/", any(unknown))
        .route("/outpost.goauthentik.io/{*path}", any(unknown))
}

/// A path the outpost does not have (`12-outpost-auth-endpoint-unauth`, hops 20 to 23).
async fn unknown(Extract(shared): Extract<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    match Served::at(&shared, &headers) {
        Some(_) => answer::error(StatusCode::NOT_FOUND, "404 page not found"),
        None => flows::answer::not_found(),
    }
}
