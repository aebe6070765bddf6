//! What is done with an access token: userinfo, introspection, revocation (`41-*`, `44-oidc-token-variants`).

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State as Extract;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::flows::answer;
use super::super::model::Grant;
use super::super::shared::Shared;
use super::claims;
use super::client::{authenticated, credentials, form};
use super::issue::subject;
use super::token::{TokenError, uncached};

const EXPIRED: HeaderValue = HeaderValue::from_static(
    "error=\"invalid_token\", error_description=\"The access token provided is expired, revoked, malformed, or \
     invalid for other reasons\"",
);

const INSUFFICIENT: HeaderValue = HeaderValue::from_static(
    "error=\"insufficient_scope\", error_description=\"The request requires higher privileges than provided by \
     the access token\"",
);

/// The grant of an access token that is still good.
fn good(shared: &Shared, token: &str) -> Option<Grant> {
    let state = shared.state();
    let grant = state.access_tokens.get(token)?;
    let active = state.users.get(&grant.user).is_some_and(|user| user.is_active);
    (grant.expires > Timestamp::now() && active).then(|| grant.clone())
}

/// `GET /application/o/userinfo/`: the claims as they are now.
pub(super) async fn userinfo(Extract(shared): Extract<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = value.strip_prefix("Bearer ").unwrap_or_default();
    let Some(grant) = good(&shared, token) else { return refused(StatusCode::UNAUTHORIZED, EXPIRED) };
    if !grant.scopes.iter().any(|scope| scope == "openid") {
        return refused(StatusCode::FORBIDDEN, INSUFFICIENT);
    }
    let body = {
        let state = shared.state();
        let (Some(provider), Some(user)) =
            (state.providers.get(&grant.provider), state.users.get(&grant.user))
        else {
            return refused(StatusCode::UNAUTHORIZED, EXPIRED);
        };
        let mut body = Map::new();
        body.insert("sub".to_owned(), Value::String(subject(provider, user)));
        body.extend(claims::of(&shared, &state, provider, user, &grant.scopes));
        if let Some(nonce) = &grant.nonce {
            body.insert("nonce".to_owned(), Value::String(nonce.clone()));
        }
        body
    };
    uncached(answer::json(StatusCode::OK, &Value::Object(body)))
}

fn refused(status: StatusCode, why: HeaderValue) -> Response<Body> {
    let mut response = answer::blank(status);
    response.headers_mut().insert(WWW_AUTHENTICATE, why);
    response
}

/// `POST /application/o/introspect/`: the token's claims, for the client it was issued to.
pub(super) async fn introspect(
    Extract(shared): Extract<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let form = form(&body);
    let token = form.get("token").cloned().unwrap_or_default();
    let (id, secret) = credentials(&headers, &form);
    let provider = authenticated(&shared.state(), &id, &secret).cloned();
    let grant = good(&shared, &token);
    let body = match (provider, grant) {
        (Some(provider), Some(grant)) if grant.provider == provider.pk => {
            let mut claims = payload(&token);
            for own in ["azp", "uid"] {
                claims.remove(own);
            }
            claims.remove("scope");
            claims.insert("active".to_owned(), Value::Bool(true));
            claims.insert("scope".to_owned(), Value::String(grant.scopes.join(" ")));
            claims.insert("client_id".to_owned(), Value::String(provider.client_id));
            Value::Object(claims)
        }
        _ => json!({ "active": false }),
    };
    uncached(answer::json(StatusCode::OK, &body))
}

/// `POST /application/o/revoke/`: the token is no longer good; a token that is not there is no error.
pub(super) async fn revoke(
    Extract(shared): Extract<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let form = form(&body);
    let (id, secret) = credentials(&headers, &form);
    let provider = authenticated(&shared.state(), &id, &secret).map(|provider| provider.pk);
    let Some(provider) = provider else {
        let body = json!({ "error": TokenError::Client.code() });
        return uncached(answer::json(StatusCode::UNAUTHORIZED, &body));
    };
    let token = form.get("token").map(String::as_str).unwrap_or_default();
    let mut state = shared.state_mut();
    state.access_tokens.retain(|key, grant| key != token || grant.provider != provider);
    state.refresh_tokens.retain(|key, grant| key != token || grant.provider != provider);
    drop(state);
    uncached(answer::json(StatusCode::OK, &json!({})))
}

/// The claims of a token that this provider made.
fn payload(token: &str) -> Map<String, Value> {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap_or_default();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
