//! The token endpoint (`41-oidc-code-flow-*`, `44-oidc-token-variants`).

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State as Extract;
use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::flows::answer;
use super::super::model::{Grant, Provider};
use super::super::password::random_text;
use super::super::shared::Shared;
use super::base::Base;
use super::client::{Form, authenticated, credentials, form};
use super::issue::{Issued, issue};
use super::{pkce, redirect_uri};

/// Why there are no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    Client,
    Grant,
    GrantType,
}

impl TokenError {
    /// The error's code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Client => "invalid_client",
            Self::Grant => "invalid_grant",
            Self::GrantType => "unsupported_grant_type",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Client => {
                "Client authentication failed (e.g., unknown client, no client authentication included, or \
                 unsupported authentication method)"
            }
            Self::Grant => {
                "The provided authorization grant or refresh token is invalid, expired, revoked, does not match \
                 the redirection URI used in the authorization request, or was issued to another client"
            }
            Self::GrantType => "The authorization grant type is not supported by the authorization server",
        }
    }

    fn answer(self) -> Response<Body> {
        let body = json!({
            "error": self.code(), "error_description": self.description(),
            "request_id": Uuid::new_v4().simple().to_string(),
        });
        uncached(answer::json(StatusCode::BAD_REQUEST, &body))
    }
}

/// `POST /application/o/token/`.
pub(super) async fn endpoint(
    Extract(shared): Extract<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let form = form(&body);
    let (id, secret) = credentials(&headers, &form);
    let provider = authenticated(&shared.state(), &id, &secret).cloned();
    let Some(provider) = provider else { return TokenError::Client.answer() };
    let base = Base::of(&headers);
    let answered = match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => by_code(&shared, &provider, &form, &base),
        Some("refresh_token") => by_refresh(&shared, &provider, &form, &base),
        // Without service accounts of its own no client gets tokens for itself (`44-oidc-token-variants`).
        Some("client_credentials" | "password") => Err(TokenError::Grant),
        _ => Err(TokenError::GrantType),
    };
    match answered {
        Ok(body) => uncached(answer::json(StatusCode::OK, &body)),
        Err(error) => {
            shared.logs.write("authentik", format!("provider `{}`: {}", provider.name, error.code()));
            error.answer()
        }
    }
}

pub(super) fn uncached(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

fn by_code(shared: &Shared, provider: &Provider, form: &Form, base: &Base) -> Result<Value, TokenError> {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let listed = provider.redirect_uris.iter().map(|uri| (uri.matching, uri.url.as_str()));
    if !redirect_uri::matches(field("redirect_uri"), listed) {
        return Err(TokenError::Client);
    }
    let (grant, issued) =
        redeem(shared, provider, field("code"), field("redirect_uri"), field("code_verifier"), base)?;
    Ok(body(shared, provider, grant, &issued))
}

/// Takes a code, once, for the tokens it stands for.
///
/// # Errors
/// [`TokenError::Grant`] for a code that is unknown, used, expired, another client's or bound to another verifier
/// or redirect URI.
pub(crate) fn redeem(
    shared: &Shared,
    provider: &Provider,
    code: &str,
    redirect_uri: &str,
    verifier: &str,
    base: &Base,
) -> Result<(Grant, Issued), TokenError> {
    let grant = {
        let mut state = shared.state_mut();
        let grant = state.codes.get(code).ok_or(TokenError::Grant)?;
        let good = grant.provider == provider.pk
            && grant.redirect_uri == redirect_uri
            && grant.expires > Timestamp::now()
            && pkce::opens(grant.challenge.as_ref(), verifier);
        if !good {
            return Err(TokenError::Grant);
        }
        state.codes.remove(code).ok_or(TokenError::Grant)?
    };
    let issued = issue(shared, &grant, base).map_err(|error| {
        shared.logs.write("authentik", format!("provider `{}` does not sign: {error}", provider.name));
        TokenError::Grant
    })?;
    let granted = Grant { expires: after(issued.lifetime), ..grant.clone() };
    shared.state_mut().access_tokens.insert(issued.access_token.clone(), granted);
    Ok((grant, issued))
}

fn by_refresh(shared: &Shared, provider: &Provider, form: &Form, base: &Base) -> Result<Value, TokenError> {
    let token = form.get("refresh_token").map(String::as_str).unwrap_or_default();
    let grant = {
        let mut state = shared.state_mut();
        let grant = state.refresh_tokens.get(token).ok_or(TokenError::Grant)?;
        if grant.provider != provider.pk || grant.expires <= Timestamp::now() {
            return Err(TokenError::Grant);
        }
        state.refresh_tokens.remove(token).ok_or(TokenError::Grant)?
    };
    let issued = issue(shared, &grant, base).map_err(|_| TokenError::Grant)?;
    let granted = Grant { expires: after(issued.lifetime), ..grant.clone() };
    shared.state_mut().access_tokens.insert(issued.access_token.clone(), granted);
    Ok(body(shared, provider, grant, &issued))
}

/// The answer, with a refresh token when `offline_access` was granted.
fn body(shared: &Shared, provider: &Provider, grant: Grant, issued: &Issued) -> Value {
    let mut body = json!({
        "access_token": issued.access_token, "token_type": "Bearer", "scope": grant.scopes.join(" "),
        "expires_in": issued.lifetime, "id_token": issued.id_token,
    });
    if grant.scopes.iter().any(|scope| scope == "offline_access") {
        let token = random_text(128);
        body["refresh_token"] = Value::String(token.clone());
        let grant = Grant { expires: after(provider.refresh_token_validity.seconds), ..grant };
        shared.state_mut().refresh_tokens.insert(token, grant);
    }
    body
}

fn after(seconds: i64) -> Timestamp {
    let now = Timestamp::now();
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
}
