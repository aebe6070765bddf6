//! Discovery and keys of an application (`40-oidc-discovery-jwks`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State as Extract};
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::super::bootstrap;
use super::super::flows::answer;
use super::super::model::Provider;
use super::super::shared::Shared;
use super::super::state::State;
use super::base::Base;
use super::claims;
use super::id_token::ACR;
use super::issue::key;

fn provider<'s>(state: &'s State, slug: &str) -> Option<&'s Provider> {
    state.providers.get(&state.application(slug)?.provider?)
}

/// `GET /application/o/<slug>/`.
pub(super) async fn moved(Path(slug): Path<String>) -> Response<Body> {
    answer::redirect(&format!("/application/o/{slug}/.well-known/openid-configuration"))
}

/// `GET /application/o/<slug>/.well-known/openid-configuration`.
pub(super) async fn document(
    Extract(shared): Extract<Arc<Shared>>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let base = Base::of(&headers);
    let state = shared.state();
    let Some(provider) = provider(&state, &slug) else {
        drop(state);
        return answer::not_found();
    };
    let scopes = scopes(&state, provider);
    let shared_endpoint = |name: &str| base.join(&format!("/application/o/{name}/"));
    let own = |name: &str| base.join(&format!("/application/o/{slug}/{name}/"));
    let document = json!({
        "issuer": base.issuer(&slug, &provider.issuer_mode),
        "authorization_endpoint": shared_endpoint("authorize"),
        "token_endpoint": shared_endpoint("token"),
        "userinfo_endpoint": shared_endpoint("userinfo"),
        "end_session_endpoint": own("end-session"),
        "introspection_endpoint": shared_endpoint("introspect"),
        "revocation_endpoint": shared_endpoint("revoke"),
        "device_authorization_endpoint": shared_endpoint("device"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "response_types_supported":
            ["code", "id_token", "id_token token", "code token", "code id_token", "code id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "jwks_uri": own("jwks"),
        "grant_types_supported": [
            "authorization_code", "refresh_token", "implicit", "client_credentials", "password",
            "urn:ietf:params:oauth:grant-type:device_code"
        ],
        "id_token_signing_alg_values_supported": [key(&state, provider).signing().algorithm()],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "acr_values_supported": [ACR],
        "scopes_supported": scopes,
        "request_parameter_supported": false,
        "claims_supported": claim_names(&shared, &state, provider, &scopes),
        "claims_parameter_supported": false,
        "code_challenge_methods_supported": ["plain", "S256"],
    });
    answer::json(StatusCode::OK, &document)
}

/// The scopes of the provider's mappings, the standard ones first.
fn scopes(state: &State, provider: &Provider) -> Vec<String> {
    let rank = |scope: &String| {
        ["openid", "email", "profile", "offline_access"].iter().position(|known| known == scope).unwrap_or(9)
    };
    let found = provider.property_mappings.iter().filter_map(|pk| state.mappings.get(pk));
    let mut scopes: Vec<String> = found.map(|mapping| mapping.scope_name.clone()).collect();
    scopes.sort_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| one.cmp(other)));
    scopes.dedup();
    scopes
}

/// The protocol's claims, and those that the mappings give anybody.
fn claim_names(shared: &Shared, state: &State, provider: &Provider, scopes: &[String]) -> Vec<String> {
    let mut names: Vec<String> = ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    let nobody = bootstrap::user(0, "", "");
    names.extend(claims::of(shared, state, provider, &nobody, scopes).into_iter().map(|(name, _)| name));
    names
}

/// `GET /application/o/<slug>/jwks/`: `{}` for a provider without a key.
pub(super) async fn keys(Extract(shared): Extract<Arc<Shared>>, Path(slug): Path<String>) -> Response<Body> {
    let state = shared.state();
    let Some(provider) = provider(&state, &slug) else {
        drop(state);
        return answer::not_found();
    };
    let pairs = [provider.signing_key, provider.encryption_key].into_iter().flatten();
    let keys: Vec<Value> = pairs
        .filter_map(|pk| state.key_pairs.get(&pk))
        .filter_map(|pair| pair.signing.jwk(Some(&pair.certificate)))
        .collect();
    let body = if keys.is_empty() { json!({}) } else { json!({ "keys": keys }) };
    let mut response = answer::json(StatusCode::OK, &body);
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
