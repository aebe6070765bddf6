//! Django REST framework's CSRF check: it guards requests that a session cookie signs in, no others.

use http::HeaderMap;

use super::super::model::CoreSession;
use super::super::session;

/// Why an unsafe request with this session must be refused; none when it may pass. An anonymous session passes
/// (`21-login-failures`: the executor works without the header).
pub(crate) fn forged(session: &CoreSession, headers: &HeaderMap) -> Option<&'static str> {
    session.user?;
    let Some(token) = headers.get("x-authentik-csrf") else {
        return Some("CSRF Failed: CSRF token missing.");
    };
    let cookie = session::sent(headers, session::CSRF_COOKIE);
    let matches =
        cookie.as_deref() == Some(session.csrf.as_str()) && token.as_bytes() == session.csrf.as_bytes();
    (!matches).then_some("CSRF Failed: CSRF token from the 'X-Authentik-Csrf' HTTP header incorrect.")
}
