//! The pages that the provider refuses with (`43-oidc-authorize-variants`, `20-login-carol`).

use axum::body::Body;
use http::{Response, StatusCode};
use maud::{DOCTYPE, html};

use super::super::flows::answer;

/// A request that must not be redirected: 400 with what is wrong.
pub(super) fn refused(title: &str, text: &str) -> Response<Body> {
    let page = answer::shell(html! { h1 { (title) } p { (text) } }, "");
    answer::html_page(StatusCode::BAD_REQUEST, page)
}

/// The user may not use the application: 200, as the real one.
pub(super) fn denied() -> Response<Body> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Permission denied - authentik" } }
            body { main { h1 { "Permission denied" } p { "Request has been denied." } } }
        }
    };
    answer::html_page(StatusCode::OK, page)
}
