//! Discovery and keys of an application's provider (`40-oidc-discovery-jwks`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State as Extract};
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::json;

use super::client::origin;
use super::id_token::ACR;
use super::{claims, tokens};
use crate::authentik::flows::answer;
use crate::authentik::model::Provider;
use crate::authentik::shared::Shared;

/// Claims that need no scope.
const ALWAYS: [&str; 9] = ["sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce"];

/// `/application/o/<slug>/`: to the discovery document, whether the application exists or not.
pub(super) async fn root(Path(slug): Path<String>) -> Response<Body> {
    answer::redirect(&format!("/application/o/{slug}/.well-known/openid-configuration"))
}

/// The discovery document, with the URLs of the host that was asked.
pub(super) async fn configuration(
    Extract(shared): Extract<Arc<Shared>>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let Some(provider) = provider(&shared, &slug) else { return answer::not_found() };
    let base = format!("{}/application/o", origin(&shared, &headers));
    let (issuer, mut scopes) = {
        let state = shared.state();
        let names = claims::mappings(&state, &provider).map(|mapping| mapping.scope_name.clone());
        (tokens::issuer(&state, &provider, &origin(&shared, &headers)), names.collect::<Vec<_>>())
    };
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.push("openid".to_owned());
    }
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/authorize/"),
        "token_endpoint": format!("{base}/token/"),
        "userinfo_endpoint": format!("{base}/userinfo/"),
        "end_session_endpoint": format!("{base}/{slug}/end-session/"),
        "introspection_endpoint": format!("{base}/introspect/"),
        "revocation_endpoint": format!("{base}/revoke/"),
        "device_authorization_endpoint": format!("{base}/device/"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "response_types_supported":
            ["code", "id_token", "id_token token", "code token", "code id_token", "code id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "jwks_uri": format!("{base}/{slug}/jwks/"),
        "grant_types_supported": [
            "authorization_code", "refresh_token", "implicit", "client_credentials", "password",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "id_token_signing_alg_values_supported": [tokens::signing_key(&shared, &provider).algorithm()],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "acr_values_supported": [ACR],
        "scopes_supported": scopes,
        "request_parameter_supported": false,
        "claims_supported": claims_of(&shared, &provider),
        "claims_parameter_supported": false,
        "code_challenge_methods_supported": ["plain", "S256"],
    });
    answer::json(StatusCode::OK, &document)
}

/// The provider's public key; `{}` when it signs with the client secret.
pub(super) async fn jwks(Extract(shared): Extract<Arc<Shared>>, Path(slug): Path<String>) -> Response<Body> {
    let Some(provider) = provider(&shared, &slug) else { return answer::not_found() };
    let certificate = {
        let state = shared.state();
        provider.signing_key.and_then(|pk| state.key_pairs.get(&pk)).map(|pair| pair.certificate.clone())
    };
    let jwk = tokens::signing_key(&shared, &provider).jwk(certificate.as_deref());
    let body = jwk.map_or_else(|| json!({}), |jwk| json!({ "keys": [jwk] }));
    let mut response = answer::json(StatusCode::OK, &body);
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn provider(shared: &Shared, slug: &str) -> Option<Provider> {
    let state = shared.state();
    state.providers.get(&state.application(slug)?.provider?).cloned()
}

/// The names that the mappings give for some user, as upstream finds them: by evaluating one after the other.
fn claims_of(shared: &Shared, provider: &Provider) -> Vec<String> {
    let user = shared.state().users.values().next().cloned();
    let given = user.map(|user| claims::of_mappings(shared, provider, &user, |_| true)).unwrap_or_default();
    let always = ALWAYS.iter().map(|name| (*name).to_owned());
    always.chain(given.into_iter().flatten().map(|(name, _)| name)).collect()
}
