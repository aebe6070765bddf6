//! The token endpoint (`44-oidc-token-variants`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as Extract;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::client::{Credentials, origin, pair};
use super::params::Params;
use super::tokens::{self, Issued, Subject};
use super::{claims, pkce, redirect_uri};
use crate::authentik::flows::answer;
use crate::authentik::model::{Grant, Intent, Provider, User};
use crate::authentik::shared::Shared;

/// Why no token is given. The texts are those of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// The client, its secret or its redirect URI is wrong.
    #[error(
        "Client authentication failed (e.g., unknown client, no client authentication included, or unsupported authentication method)"
    )]
    Client,
    /// The code, refresh token or password is wrong, used, expired or another client's.
    #[error(
        "The provided authorization grant or refresh token is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client"
    )]
    Grant,
    /// The grant type is not known.
    #[error("The authorization grant type is not supported by the authorization server")]
    GrantType,
    /// A refresh asks for more than was granted.
    #[error(
        "The requested scope is invalid, unknown, malformed, or exceeds the scope granted by the resource owner"
    )]
    Scope,
    /// The provider's key does not sign.
    #[error("The authorization server failed to sign the token")]
    Key,
}

impl TokenError {
    fn code(self) -> &'static str {
        match self {
            Self::Client => "invalid_client",
            Self::Grant => "invalid_grant",
            Self::GrantType => "unsupported_grant_type",
            Self::Scope => "invalid_scope",
            Self::Key => "server_error",
        }
    }

    /// The body of the error, with an id of its own.
    pub(super) fn body(self) -> Value {
        json!({
            "error": self.code(),
            "error_description": self.to_string(),
            "request_id": Uuid::new_v4().simple().to_string(),
        })
    }
}

/// Redeems a code, a refresh token or credentials.
pub(super) async fn post(
    Extract(shared): Extract<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let form = Params::parse(&body);
    let client = Credentials::read(&headers, &form);
    match redeem(&shared, &origin(&shared, &headers), &client, &form) {
        Ok(issued) => uncached(answer::json(StatusCode::OK, &issued.body())),
        Err(error) => {
            let line = format!(
                "event=token_refused client={:?} grant_type={:?} error={}",
                client.id,
                form.get("grant_type"),
                error.code()
            );
            shared.logs.write("authentik", line);
            uncached(answer::json(StatusCode::BAD_REQUEST, &error.body()))
        }
    }
}

/// Adds what keeps an answer out of caches.
pub(super) fn uncached(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// What the token endpoint does with `form` for `client`; the embedded outpost comes this way too.
///
/// # Errors
/// [`TokenError`]; nothing is used up then.
pub(crate) fn redeem(
    shared: &Shared,
    origin: &str,
    client: &Credentials,
    form: &Params,
) -> Result<Issued, TokenError> {
    let provider = shared.state().client(&client.id).cloned().ok_or(TokenError::Client)?;
    let known = !provider.confidential || provider.client_secret == client.secret;
    match form.get("grant_type") {
        "authorization_code" | "refresh_token" if !known => Err(TokenError::Client),
        "authorization_code" => by_code(shared, origin, &provider, form),
        "refresh_token" => by_refresh_token(shared, origin, provider, form),
        "client_credentials" | "password" => by_credentials(shared, origin, provider, client, form),
        _ => Err(TokenError::GrantType),
    }
}

fn by_code(shared: &Shared, origin: &str, provider: &Provider, form: &Params) -> Result<Issued, TokenError> {
    let code = form.get("code");
    if code.is_empty() {
        return Err(TokenError::Grant);
    }
    let listed = provider.redirect_uris.iter().map(|uri| (uri.matching, uri.url.as_str()));
    if !redirect_uri::matches(form.get("redirect_uri"), listed) {
        return Err(TokenError::Client);
    }
    let grant = live(shared.state().codes.get(code), provider).ok_or(TokenError::Grant)?;
    if !pkce::opens(grant.challenge.as_ref(), form.get("code_verifier")) {
        return Err(TokenError::Grant);
    }
    // Taken out under the write lock: of two that come at once, one gets it.
    shared.state_mut().codes.remove(code).ok_or(TokenError::Grant)?;
    let refreshable = grant.scopes.iter().any(|scope| scope == tokens::OFFLINE);
    let nonce = grant.nonce.clone();
    issue(shared, origin, provider.clone(), grant, nonce, refreshable)
}

fn by_refresh_token(
    shared: &Shared,
    origin: &str,
    provider: Provider,
    form: &Params,
) -> Result<Issued, TokenError> {
    let token = form.get("refresh_token");
    let grant = live(shared.state().refresh_tokens.get(token), &provider).ok_or(TokenError::Grant)?;
    if form.get("scope").split_whitespace().any(|scope| !grant.scopes.iter().any(|had| had == scope)) {
        return Err(TokenError::Scope);
    }
    match shared.state_mut().refresh_tokens.get_mut(token) {
        Some(kept) if !kept.revoked => kept.revoked = true,
        _ => return Err(TokenError::Grant),
    }
    issue(shared, origin, provider, grant, None, true)
}

/// A grant that is `provider`'s, not revoked and not expired.
fn live(grant: Option<&Grant>, provider: &Provider) -> Option<Grant> {
    grant
        .filter(|grant| grant.provider == provider.pk && !grant.revoked && grant.expires > Timestamp::now())
        .cloned()
}

fn issue(
    shared: &Shared,
    origin: &str,
    provider: Provider,
    grant: Grant,
    nonce: Option<String>,
    refreshable: bool,
) -> Result<Issued, TokenError> {
    let (user, issuer) = {
        let state = shared.state();
        let user = state.users.get(&grant.user).cloned().ok_or(TokenError::Grant)?;
        (user, tokens::issuer(&state, &provider, origin))
    };
    let subject = Subject {
        provider,
        user,
        issuer,
        session: grant.session,
        scopes: grant.scopes,
        nonce,
        auth_time: grant.auth_time,
        methods: grant.methods,
    };
    subject.issue(shared, refreshable).map_err(|_| TokenError::Key)
}

/// A user's app password, in the form or as the client secret (`54-header-auth-at-outpost`), or the client alone,
/// for whom a service account stands.
fn by_credentials(
    shared: &Shared,
    origin: &str,
    provider: Provider,
    client: &Credentials,
    form: &Params,
) -> Result<Issued, TokenError> {
    let (username, password) = (form.get("username"), form.get("password"));
    let user = if !username.is_empty() && !password.is_empty() {
        by_app_password(shared, username, password).ok_or(TokenError::Grant)?
    } else if let Some((username, password)) = pair(&client.secret) {
        by_app_password(shared, &username, &password).ok_or(TokenError::Grant)?
    } else if provider.client_secret == client.secret {
        service_account(shared, &provider)
    } else {
        return Err(TokenError::Grant);
    };
    let scopes = {
        let state = shared.state();
        let application = state.application_of(provider.pk).ok_or(TokenError::Grant)?;
        if !state.lets_in(&user, application) {
            return Err(TokenError::Grant);
        }
        let known: Vec<_> =
            claims::mappings(&state, &provider).map(|mapping| mapping.scope_name.clone()).collect();
        let asked =
            form.get("scope").split_whitespace().filter(|scope| known.iter().any(|name| name == scope));
        asked.map(str::to_owned).collect()
    };
    let issuer = tokens::issuer(&shared.state(), &provider, origin);
    let subject = Subject {
        provider,
        user,
        issuer,
        session: None,
        scopes,
        nonce: None,
        auth_time: Timestamp::now(),
        methods: Vec::new(),
    };
    subject.issue(shared, false).map_err(|_| TokenError::Key)
}

fn by_app_password(shared: &Shared, username: &str, password: &str) -> Option<User> {
    let state = shared.state();
    let user = state.users.values().find(|user| user.username == username && user.is_active)?;
    let mut tokens = state.tokens.values().filter(|token| token.intent == Intent::AppPassword);
    tokens.any(|token| token.key == password && token.user == user.pk).then(|| user.clone())
}

/// The account that stands for `provider` when it asks for itself, made when first needed.
fn service_account(shared: &Shared, provider: &Provider) -> User {
    let username = format!("ak-{}-client_credentials", provider.name);
    let mut state = shared.state_mut();
    if let Some(user) = state.users.values().find(|user| user.username == username) {
        return user.clone();
    }
    state.last_user += 1;
    let user = User {
        pk: state.last_user,
        uuid: Uuid::new_v4(),
        uid: crate::digest::hex(&rand::random::<[u8; 32]>()),
        name: format!("Autogenerated user from application {} (client credentials)", provider.name),
        username,
        email: String::new(),
        is_active: true,
        kind: "service_account".to_owned(),
        path: "goauthentik.io/providers/oauth2/client_credentials".to_owned(),
        groups: Vec::new(),
        attributes: serde_json::Map::new(),
        password: None,
        date_joined: Timestamp::now(),
        last_login: None,
        password_changed: Timestamp::now(),
    };
    state.users.insert(user.pk, user.clone());
    user
}
