//! The OAuth2 / OpenID Connect provider.

pub(crate) mod expression;
pub(crate) mod id_token;
pub(crate) mod keys;
pub(crate) mod pkce;
pub(crate) mod redirect_uri;

use std::sync::Arc;

use axum::Router;

use super::shared::Shared;

/// The paths of this part.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
}
