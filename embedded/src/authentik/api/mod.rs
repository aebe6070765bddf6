//! The REST API, version 3.

use std::sync::Arc;

use axum::Router;

use super::shared::Shared;

/// The paths of this part.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
}
