//! Who a request comes from: by the proxy cookie, or by credentials in `Authorization` (`54-header-auth-at-outpost`).

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::cookie;
use super::served::Served;
use crate::authentik::model::ProxySession;
use crate::authentik::oauth2::params::Params;
use crate::authentik::oauth2::{self, Issued, bearer, token};
use crate::authentik::shared::Shared;

/// The session of the request's cookie, while it lasts.
pub(super) fn current(shared: &Shared, served: &Served, headers: &HeaderMap) -> Option<ProxySession> {
    let id = cookie::sent(headers, &served.cookie().name)?;
    let state = shared.state();
    let session = state.proxy_sessions.get(id)?;
    (session.provider == served.provider.pk && session.expires > Timestamp::now()).then(|| session.clone())
}

/// The session that credentials of the request open, and the cookie that goes with it. Credentials that are not
/// good count for nothing.
pub(super) fn by_header(
    shared: &Shared,
    served: &Served,
    headers: &HeaderMap,
) -> Option<(ProxySession, Option<HeaderValue>)> {
    if !served.proxy.intercept_header_auth {
        return None;
    }
    let (claims, raw_token) = match oauth2::authorization(headers, "Bearer ") {
        Some(token) => (bearer(&shared.state(), &served.provider, token)?, token.to_owned()),
        None => {
            let issued = by_app_password(shared, served, oauth2::authorization(headers, "Basic ")?)?;
            (issued.id_claims, issued.id_token)
        }
    };
    let session = open(shared, served, &cookie::stored_id(&shared.profile), claims, raw_token);
    Some(session)
}

fn by_app_password(shared: &Shared, served: &Served, encoded: &str) -> Option<Issued> {
    let (username, password) = oauth2::pair(encoded)?;
    let form = Params::default()
        .with("grant_type", "client_credentials")
        .with("scope", scopes(shared, served).join(" "))
        .with("username", username)
        .with("password", password);
    token::redeem(shared, &served.core, &credentials(served), &form).ok()
}

/// Keeps a session under `id` for as long as its claims say, and gives it with its cookie.
pub(super) fn open(
    shared: &Shared,
    served: &Served,
    id: &str,
    claims: Map<String, Value>,
    raw_token: String,
) -> (ProxySession, Option<HeaderValue>) {
    let now = Timestamp::now();
    let ends =
        claims.get("exp").and_then(Value::as_i64).and_then(|second| Timestamp::from_second(second).ok());
    let expires = ends.unwrap_or(now);
    let session = ProxySession { provider: served.provider.pk, claims, raw_token, expires };
    let mut state = shared.state_mut();
    state.proxy_sessions.retain(|_, session| session.expires > now);
    state.proxy_sessions.insert(id.to_owned(), session.clone());
    let age = expires.duration_since(now).as_secs();
    (session, cookie::set(&served.cookie(), id, age, now))
}

/// The outpost's own credentials at the token endpoint.
pub(super) fn credentials(served: &Served) -> oauth2::Credentials {
    oauth2::Credentials {
        id: served.provider.client_id.clone(),
        secret: served.provider.client_secret.clone(),
    }
}

/// The scopes the outpost asks for: all that the provider has mappings for, the default ones in the order recorded
/// (which the real program leaves to chance).
pub(super) fn scopes(shared: &Shared, served: &Served) -> Vec<String> {
    const FIRST: [&str; 5] = ["entitlements", "email", "openid", "profile", "ak_proxy"];
    let state = shared.state();
    let mappings = served.provider.property_mappings.iter().filter_map(|pk| state.mappings.get(pk));
    let mut scopes: Vec<_> = mappings.map(|mapping| mapping.scope_name.clone()).collect();
    scopes.sort_by_key(|scope| FIRST.iter().position(|name| name == scope).unwrap_or(FIRST.len()));
    scopes.dedup();
    scopes
}
