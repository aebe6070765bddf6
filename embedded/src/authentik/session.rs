//! Core sessions: the `authentik_session` cookie and what is behind it.

use cookie::{Cookie, SameSite};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::model::CoreSession;
use super::oauth2::keys::{SigningKey, verify_hs256};
use super::shared::Shared;

const NAME: &str = "authentik_session";
/// The cookie that scripts read and send back in `X-authentik-CSRF`.
pub(crate) const CSRF_COOKIE: &str = "authentik_csrf";

/// The key and session that the request's cookie stands for; none when there is none, or it has ended. A session
/// of a user who is no longer active counts as anonymous (`51-user-deactivated`).
pub(crate) fn current(shared: &Shared, headers: &HeaderMap) -> Option<(String, CoreSession)> {
    let token = sent(headers, NAME)?;
    let claims = verify_hs256(&token, &shared.secret_key)?;
    let key = claims["sid"].as_str()?.to_owned();
    let state = shared.state();
    let mut session = state.sessions.get(&key)?.clone();
    session.user = session.user.filter(|user| state.users.get(user).is_some_and(|user| user.is_active));
    Some((key, session))
}

/// Whether the request's cookie stands for no session, or for one of a user who is no longer active.
pub(crate) fn is_over(shared: &Shared, headers: &HeaderMap) -> bool {
    let Some(token) = sent(headers, NAME) else { return false };
    let claims = verify_hs256(&token, &shared.secret_key);
    let key = claims.as_ref().and_then(|claims| claims["sid"].as_str());
    let state = shared.state();
    let session = key.and_then(|key| state.sessions.get(&key.to_owned()));
    session.is_none_or(|session| {
        session.user.is_some_and(|user| state.users.get(&user).is_none_or(|user| !user.is_active))
    })
}

/// Opens a session and returns its key.
pub(crate) fn open(shared: &Shared, headers: &HeaderMap) -> String {
    let key = random_key();
    let text =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let session = CoreSession {
        uuid: Uuid::new_v4(),
        user: None,
        signed_in: None,
        methods: Vec::new(),
        csrf: random_key(),
        plan: None,
        refused_login: None,
        user_agent: text("user-agent"),
        last_ip: text("x-forwarded-for"),
        last_used: Timestamp::now(),
    };
    shared.state_mut().open_session(key.clone(), session);
    key
}

/// A session key or CSRF token: 32 lower-case letters and digits.
pub(crate) fn random_key() -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    (0..32).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}

/// The `Set-Cookie` that hands `key` to the browser: a JWT, for this host only, until the browser closes.
pub(crate) fn set_cookie(shared: &Shared, key: &str) -> Option<HeaderValue> {
    let uid = {
        let state = shared.state();
        let session = state.sessions.get(key)?;
        session.user.and_then(|user| state.users.get(&user)).map(|user| user.uid.clone())
    };
    let claims = json!({
        "sid": key, "iss": "authentik",
        "sub": uid.as_deref().unwrap_or("anonymous"),
        "authenticated": uid.is_some(), "acr": "goauthentik.io/core/default",
    });
    let token = SigningKey::Secret(shared.secret_key.clone()).sign(claims.as_object()?).ok()?;
    let cookie =
        Cookie::build((NAME, token)).path("/").http_only(true).secure(true).same_site(SameSite::None).build();
    HeaderValue::from_str(&cookie.to_string()).ok()
}

/// The `Set-Cookie` that takes the session's cookie away.
pub(crate) fn remove_cookie() -> HeaderValue {
    HeaderValue::from_static(
        "authentik_session=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=None; Secure",
    )
}

/// The value of the cookie `name` in a request.
pub(crate) fn sent(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).find_map(|line| {
        Cookie::split_parse(line.to_owned())
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == name)
            .map(|cookie| cookie.value().to_owned())
    })
}
