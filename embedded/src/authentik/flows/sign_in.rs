//! Signing a browser in and out.

use http::HeaderValue;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::json;

use super::super::model::{CoreSession, Plan};
use super::super::oauth2::keys::SigningKey;
use super::super::session;
use super::super::state::State;

/// How long `authentik_device` and `authentik_csrf` are kept, in seconds.
const DEVICE_AGE: i64 = 2_592_000;
const CSRF_AGE: i64 = 31_449_600;

/// Signs the verified user of `plan` in under a new session key, which takes the place of `old`, and returns it;
/// none when nobody has proved who they are.
pub(super) fn sign_in(state: &mut State, old: &str, plan: &Plan) -> Option<String> {
    let user = plan.pending.as_ref().filter(|pending| pending.verified)?.user?;
    let now = Timestamp::now();
    state.users.get_mut(&user)?.last_login = Some(now);
    let previous = state.sessions.get(old)?;
    let session = CoreSession {
        uuid: uuid::Uuid::new_v4(),
        user: Some(user),
        signed_in: Some(now),
        methods: vec!["pwd".to_owned()],
        csrf: session::random_key(),
        plan: None,
        last_used: now,
        ..previous.clone()
    };
    state.end_session(old);
    let key = session::random_key();
    state.open_session(key.clone(), session);
    Some(key)
}

/// Ends the session `old`. What is left of its plan goes on in an anonymous session, whose key is returned.
pub(super) fn sign_out(state: &mut State, old: &str, rest: Option<Plan>) -> Option<String> {
    let previous = state.sessions.get(old).cloned();
    state.end_session(old);
    let session = CoreSession {
        uuid: uuid::Uuid::new_v4(),
        user: None,
        signed_in: None,
        methods: Vec::new(),
        plan: Some(rest?),
        ..previous?
    };
    let key = session::random_key();
    state.open_session(key.clone(), session);
    Some(key)
}

/// The cookies that only a login sets: `authentik_device` and `authentik_csrf` (`20-login-alice`, hop 8).
pub(super) fn cookies(state: &State, key: &str) -> Option<[HeaderValue; 2]> {
    let session = state.sessions.get(key)?;
    let user = state.users.get(&session.user?)?;
    let time = Timestamp::now();
    let now = time.as_second();
    let ends = time.checked_add(DEVICE_AGE.seconds()).ok()?.as_duration().as_secs_f64();
    let claims = json!({ "sub": user.uid, "exp": ends });
    let device = SigningKey::Secret(state.secret_key.clone()).sign(claims.as_object()?).ok()?;
    let device = format!(
        "authentik_device={device}; expires={}; Max-Age={DEVICE_AGE}; Path=/; SameSite=Lax",
        http_date(now.saturating_add(DEVICE_AGE))?
    );
    Some([HeaderValue::from_str(&device).ok()?, csrf_cookie(state, key)?])
}

/// The cookie `authentik_csrf` of the session `key`.
pub(crate) fn csrf_cookie(state: &State, key: &str) -> Option<HeaderValue> {
    let line = format!(
        "{}={}; expires={}; Max-Age={CSRF_AGE}; Path=/; SameSite=Lax; Secure",
        session::CSRF_COOKIE,
        state.sessions.get(key)?.csrf,
        http_date(Timestamp::now().as_second().saturating_add(CSRF_AGE))?
    );
    HeaderValue::from_str(&line).ok()
}

fn http_date(second: i64) -> Option<String> {
    let time = Timestamp::from_second(second).ok()?.to_zoned(TimeZone::UTC);
    Some(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}
