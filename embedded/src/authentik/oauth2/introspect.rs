//! Asking about a token and revoking it (`44-oidc-token-variants`, hops 58 and 59).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as Extract;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::client::Credentials;
use super::params::Params;
use super::token::{TokenError, uncached};
use crate::authentik::flows::answer;
use crate::authentik::model::Provider;
use crate::authentik::shared::Shared;
use crate::authentik::state::State;

/// What a token of the asking client says; `{"active": false}` for any other token and any other client.
pub(super) async fn introspect(
    Extract(shared): Extract<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let form = Params::parse(&body);
    let state = shared.state();
    let provider = Credentials::read(&headers, &form).provider(&state);
    let body = provider
        .and_then(|provider| active(&state, &provider, form.get("token")))
        .map_or_else(|| json!({ "active": false }), Value::Object);
    uncached(answer::json(StatusCode::OK, &body))
}

/// The claims of a live token of `provider`, and what introspection adds to them.
pub(crate) fn active(state: &State, provider: &Provider, token: &str) -> Option<Map<String, Value>> {
    let grant = state.access_tokens.get(token).or_else(|| state.refresh_tokens.get(token))?;
    let live = grant.provider == provider.pk && !grant.revoked && grant.expires > Timestamp::now();
    live.then(|| {
        let mut body = grant.id_token.clone();
        body.insert("active".to_owned(), json!(true));
        body.insert("scope".to_owned(), json!(grant.scopes.join(" ")));
        body.insert("client_id".to_owned(), json!(provider.client_id));
        body
    })
}

/// Revokes a token of the asking client; a token that is not its own is passed over.
pub(super) async fn revoke(
    Extract(shared): Extract<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let form = Params::parse(&body);
    let mut state = shared.state_mut();
    let Some(provider) = Credentials::read(&headers, &form).provider(&state) else {
        return uncached(answer::json(StatusCode::UNAUTHORIZED, &TokenError::Client.body()));
    };
    let token = form.get("token");
    let own = |grant: &crate::authentik::model::Grant| grant.provider == provider.pk;
    if state.access_tokens.get(token).is_some_and(own) {
        state.access_tokens.remove(token);
    }
    if state.refresh_tokens.get(token).is_some_and(own) {
        state.refresh_tokens.remove(token);
    }
    uncached(answer::json(StatusCode::OK, &json!({})))
}
