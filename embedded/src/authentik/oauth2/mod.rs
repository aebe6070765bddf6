//! The OAuth2 / OpenID Connect provider.

mod authorize;
mod base;
mod claims;
mod client;
mod discovery;
mod end_session;
pub(crate) mod expression;
pub(crate) mod id_token;
mod issue;
pub(crate) mod keys;
mod pages;
pub(crate) mod pkce;
pub(crate) mod redirect_uri;
mod token;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use base::Base;
pub(crate) use client::basic;
pub(crate) use issue::issue;
pub(crate) use token::redeem;

use super::shared::Shared;

/// The paths of this part.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/application/o/authorize/", get(authorize::authorize).post(authorize::authorize))
        .route("/application/o/token/", post(token::endpoint))
        .route("/application/o/userinfo/", get(tokens::userinfo).post(tokens::userinfo))
        .route("/application/o/introspect/", post(tokens::introspect))
        .route("/application/o/revoke/", post(tokens::revoke))
        .route("/application/o/{slug}/", get(discovery::moved))
        .route("/application/o/{slug}/.well-known/openid-configuration", get(discovery::document))
        .route("/application/o/{slug}/jwks/", get(discovery::keys))
        .route("/application/o/{slug}/end-session/", get(end_session::begin).post(end_session::forged))
}
