//! The pages a browser is left on when it cannot go back to the relying party.

use axum::body::Body;
use http::header::SET_COOKIE;
use http::{Response, StatusCode};
use maud::html;

use crate::authentik::flows::{self, answer};
use crate::authentik::shared::Shared;

/// A refused request that must not be answered by a redirect (`43-oidc-authorize-variants`, hops 14 to 24).
pub(super) fn refused(title: &str, text: &str) -> Response<Body> {
    let content = html! { h1 { (title) } p { (text) } };
    answer::html_page(StatusCode::BAD_REQUEST, answer::shell(content, ""))
}

/// A user of the session `key` whom the application's bindings do not let in: a page with status 200
/// (`20-login-carol`).
pub(super) fn denied(shared: &Shared, key: &str) -> Response<Body> {
    let content = html! { h1 { "Permission denied" } p { "Request has been denied." } };
    let page = answer::titled_shell("Permission denied - authentik", content, "");
    let mut response = answer::html_page(StatusCode::OK, page);
    if shared.profile.csrf_cookie_on_denial {
        let cookie = flows::csrf_cookie(&shared.state(), key);
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    }
    response
}

/// What Django answers to a form without a CSRF token (`49-end-session-unauth`, hop 6).
pub(super) fn forged() -> Response<Body> {
    let content = html! {
        h1 { "Forbidden (403)" }
        p { "CSRF verification failed. Request aborted." }
        p {
            "If you have configured your browser to disable “Referer” headers, please re-enable them, at least for \
             this site, or for HTTPS connections, or for “same-origin” requests."
        }
    };
    answer::html_page(StatusCode::FORBIDDEN, answer::titled_shell("403 Forbidden", content, ""))
}
