//! `/application/o/userinfo/` (`41-oidc-code-flow-*`, `44-oidc-token-variants`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State as Extract};
use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::claims;
use super::client::authorization;
use super::params::Params;
use super::token::uncached;
use crate::authentik::flows::answer;
use crate::authentik::shared::Shared;

/// The claims of the bearer's user.
pub(super) async fn get(
    Extract(shared): Extract<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    userinfo(&shared, &headers, &Params::parse(query.unwrap_or_default()))
}

/// The same with the token in a form.
pub(super) async fn post(
    Extract(shared): Extract<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    userinfo(&shared, &headers, &Params::parse(&body))
}

fn userinfo(shared: &Shared, headers: &HeaderMap, params: &Params) -> Response<Body> {
    let token = authorization(headers, "Bearer ").unwrap_or_else(|| params.get("access_token"));
    let found = {
        let state = shared.state();
        let grant =
            state.access_tokens.get(token).filter(|grant| !grant.revoked && grant.expires > Timestamp::now());
        grant.and_then(|grant| {
            Some((
                grant.clone(),
                state.users.get(&grant.user)?.clone(),
                state.providers.get(&grant.provider)?.clone(),
            ))
        })
    };
    let Some((grant, user, provider)) = found else {
        let text = "The access token provided is expired, revoked, malformed, or invalid for other reasons";
        return challenge(StatusCode::UNAUTHORIZED, "invalid_token", text);
    };
    if !grant.scopes.iter().any(|scope| scope == "openid") {
        let text = "The request requires higher privileges than provided by the access token";
        return challenge(StatusCode::FORBIDDEN, "insufficient_scope", text);
    }
    // The claims of now, not those of the login.
    let mut body = Map::from_iter([("sub".to_owned(), json!(claims::subject(&provider, &user)))]);
    body.extend(claims::of_scopes(shared, &provider, &user, &grant.scopes));
    if let Some(nonce) = grant.nonce {
        body.insert("nonce".to_owned(), json!(nonce));
    }
    uncached(answer::json(StatusCode::OK, &Value::Object(body)))
}

fn challenge(status: StatusCode, error: &str, text: &str) -> Response<Body> {
    let mut response = answer::blank(status);
    if let Ok(value) = HeaderValue::from_str(&format!("error=\"{error}\", error_description=\"{text}\"")) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}
