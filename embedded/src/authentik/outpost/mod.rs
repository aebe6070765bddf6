//! The embedded outpost: forward auth for Traefik, nginx and Caddy.

pub(crate) mod answer;
pub(crate) mod cookie;
pub(crate) mod state_token;

use std::sync::Arc;

use axum::Router;

use super::shared::Shared;

/// The paths of this part.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
}
