//! The pages: a frame whose script drives the executor, as a person's browser needs it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State as Extract};
use http::{Response, StatusCode};
use maud::{Markup, html};

use super::super::shared::Shared;
use super::answer;

const FLOW_SCRIPT: &str = include_str!("flow.js");
const USER_SCRIPT: &str = include_str!("user.js");

/// `/if/flow/<slug>/`: the page itself changes nothing, its script does (`37-invalidation-page-only`).
pub(super) async fn flow(Extract(shared): Extract<Arc<Shared>>, Path(slug): Path<String>) -> Response<Body> {
    if shared.state().flow(&slug).is_none() {
        return answer::not_found();
    }
    page(html! { div id="flow" data-slug=(slug) {} }, FLOW_SCRIPT)
}

/// `/if/user/`: shown to everyone; its script sends an anonymous browser to the login.
pub(super) async fn user() -> Response<Body> {
    page(html! { div id="user" {} }, USER_SCRIPT)
}

/// `/if/admin/`: the administration is done through the API; the page says so.
pub(super) async fn admin() -> Response<Body> {
    page(html! { div id="user" {} p { "Administration goes through " code { "/api/v3/" } "." } }, USER_SCRIPT)
}

fn page(content: Markup, script: &str) -> Response<Body> {
    let content = html! { (content) noscript { "This page needs JavaScript." } };
    answer::html_page(StatusCode::OK, answer::shell(content, script))
}
