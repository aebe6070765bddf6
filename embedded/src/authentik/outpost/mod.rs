//! The embedded outpost: forward auth for Traefik and Caddy.

mod answer;
mod application;
mod auth;
mod callback;
mod cookie;
mod headers;
mod login;
mod sign_out;
mod state_token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};
use http::StatusCode;

use super::shared::Shared;

/// The paths of this part.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/outpost.goauthentik.io/ping", any(async || answer::empty(StatusCode::NO_CONTENT)))
        .route("/outpost.goauthentik.io/auth/traefik", any(auth::forward))
        .route("/outpost.goauthentik.io/auth/caddy", any(auth::forward))
        .route("/outpost.goauthentik.io/start", any(login::start))
        .route("/outpost.goauthentik.io/callback", get(callback::callback))
        .route("/outpost.goauthentik.io/sign_out", any(sign_out::sign_out))
        .route("/outpost.goauthentik.io/{*rest}", any(application::unknown_path))
        .route("/outpost.goauthentik.io/", any(application::unknown_path))
}
