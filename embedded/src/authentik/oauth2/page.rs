//! The pages a browser is left on when it cannot go back to the relying party.

use axum::body::Body;
use http::{Response, StatusCode};
use maud::html;

use crate::authentik::flows::answer;

/// A refused request that must not be answered by a redirect (`43-oidc-authorize-variants`, hops 14 to 24).
pub(super) fn refused(title: &str, text: &str) -> Response<Body> {
    let content = html! { h1 { (title) } p { (text) } };
    answer::html_page(StatusCode::BAD_REQUEST, answer::shell(content, ""))
}

/// A user whom the application's bindings do not let in: a page with status 200 (`20-login-carol`).
pub(super) fn denied() -> Response<Body> {
    let content = html! { h1 { "Permission denied" } p { "Request has been denied." } };
    answer::html_page(StatusCode::OK, answer::titled_shell("Permission denied - authentik", content, ""))
}

/// What Django answers to a form without a CSRF token (`49-end-session-unauth`, hop 6).
pub(super) fn forged() -> Response<Body> {
    let content = html! { h1 { "Forbidden (403)" } p { "CSRF verification failed. Request aborted." } };
    answer::html_page(StatusCode::FORBIDDEN, answer::titled_shell("403 Forbidden", content, ""))
}
