//! The OAuth2 / OpenID Connect provider.

mod authorize;
mod claims;
mod client;
mod discovery;
mod end_session;
pub(crate) mod expression;
pub(crate) mod id_token;
mod introspect;
pub(crate) mod keys;
mod login;
mod page;
pub(crate) mod params;
pub(crate) mod pkce;
pub(crate) mod redirect_uri;
mod request;
mod response;
pub(crate) mod token;
mod tokens;
mod userinfo;

pub(crate) use client::{Credentials, authorization, pair};
pub(crate) use introspect::active as bearer;
pub(crate) use tokens::Issued;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::header::ALLOW;
use http::{HeaderValue, Response, StatusCode};

use super::flows::answer;
use super::shared::Shared;

/// The paths of this part.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/application/o/authorize/", get(authorize::get).post(authorize::post))
        .route("/application/o/token/", post(token::post).fallback(async || only_post()))
        .route("/application/o/userinfo/", get(userinfo::get).post(userinfo::post))
        .route("/application/o/introspect/", post(introspect::introspect).fallback(async || only_post()))
        .route("/application/o/revoke/", post(introspect::revoke).fallback(async || only_post()))
        .route("/application/o/{slug}/", get(discovery::root))
        .route("/application/o/{slug}/.well-known/openid-configuration", get(discovery::configuration))
        .route("/application/o/{slug}/jwks/", get(discovery::jwks))
        .route("/application/o/{slug}/end-session/", get(end_session::get).post(end_session::post))
}

/// The 405 of an endpoint that takes POST alone (`40-oidc-discovery-jwks`, hops 19, 23 and 24).
fn only_post() -> Response<Body> {
    let mut response = answer::blank(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    response
}
