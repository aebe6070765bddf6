//! Answers of the core as Django and its middleware write them (`truth/authentik`: `15-health-version`).

use axum::body::Body;
use http::header::{
    CONTENT_LANGUAGE, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use uuid::Uuid;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer with a body of the given type.
fn with(status: StatusCode, content_type: HeaderValue, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// A 302 with an empty body, as `HttpResponseRedirect`. Text that fits no header gives a 400.
pub(crate) fn redirect(location: &str) -> Response<Body> {
    let Ok(value) = HeaderValue::from_str(location) else {
        return with(StatusCode::BAD_REQUEST, HTML, "");
    };
    let mut response = with(StatusCode::FOUND, HTML, "");
    response.headers_mut().insert(LOCATION, value);
    response
}

/// An HTML answer.
pub(crate) fn html_page(status: StatusCode, markup: Markup) -> Response<Body> {
    with(status, HTML, markup.into_string())
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    with(status, JSON, value.to_string())
}

/// An answer with an HTML type and no text.
pub(crate) fn blank(status: StatusCode) -> Response<Body> {
    with(status, HTML, "")
}

/// The frame of most pages: title `authentik`, the content in the body.
pub(crate) fn shell(content: Markup, script: &str) -> Markup {
    titled_shell("authentik", content, script)
}

/// The frame of a page with a title of its own.
pub(crate) fn titled_shell(title: &str, content: Markup, script: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { (content) }
                @if !script.is_empty() { script { (PreEscaped(script)) } }
            }
        }
    }
}

const STYLE: &str = "body{font:1rem/1.5 sans-serif;background:#151515;color:#eee;margin:0}\
main{max-width:24rem;margin:15vh auto;padding:2rem;background:#222;border-radius:.5rem}\
label,input,button{display:block;width:100%;box-sizing:border-box}\
input,button{margin:.25rem 0 1rem;padding:.5rem;font:inherit}.error{color:#f88}a{color:#9cf}";

/// The core's 404 page, with the core's headers: the outpost hands unknown hosts over to it
/// (`12-outpost-auth-endpoint-unauth`).
pub(crate) fn not_found() -> Response<Body> {
    let page = shell(html! { h1 { "Not Found" } p { a href="/" { "Go home" } } }, "");
    core_headers(html_page(StatusCode::NOT_FOUND, page))
}

/// Adds what the core's middleware adds; a header that is there already stays.
pub(crate) fn core_headers(mut response: Response<Body>) -> Response<Body> {
    const ID: HeaderName = HeaderName::from_static("x-authentik-id");
    const POWERED_BY: HeaderName = HeaderName::from_static("x-powered-by");
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    add(CONTENT_LANGUAGE, "en");
    add(REFERRER_POLICY, "same-origin");
    add(VARY, "Accept-Encoding");
    add(X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(X_FRAME_OPTIONS, "DENY");
    add(POWERED_BY, "authentik");
    if !headers.contains_key(&ID) {
        headers.append(VARY, HeaderValue::from_static("Accept-Language, Cookie"));
        if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().simple().to_string()) {
            headers.insert(ID, id);
        }
    }
    response
}
