//! A request as Grafana looks at it, and its answers.

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use maud::{Markup, html};
use serde_json::Value;

/// One request; its body is never read.
pub(super) struct Call {
    pub(super) method: Method,
    /// The path within Grafana, still encoded: the sub-path is gone.
    pub(super) path: String,
    /// Path and query as they came.
    pub(super) target: String,
    /// The query's parameters, decoded, in order.
    pub(super) params: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
}

impl Call {
    pub(super) fn new(request: Request<Body>, sub_path: &str) -> Self {
        let (head, _) = request.into_parts();
        let path = head.uri.path();
        let within = path.strip_prefix(sub_path).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let path = match within {
            Some("") => "/",
            Some(rest) => rest,
            None => path,
        };
        let query = head.uri.query().unwrap_or_default();
        Self {
            method: head.method,
            path: path.to_owned(),
            target: head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            params: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: head.headers,
        }
    }

    /// The first value of a query parameter, empty when it is not there.
    pub(super) fn param(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// Whether the query holds a parameter at all.
    pub(super) fn has_param(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An answer that is being put together.
pub(super) struct Reply(Response<Body>);

impl Reply {
    fn new(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "deny"),
            ("x-xss-protection", "1; mode=block"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Self(response)
    }

    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(super) fn page(page: Markup) -> Self {
        Self::new(StatusCode::OK, "text/html; charset=UTF-8", page.into_string())
    }

    /// A redirect with the body Go's `net/http` gives it.
    pub(super) fn redirect(status: StatusCode, location: &str) -> Self {
        let words = status.canonical_reason().unwrap_or_default();
        let body = html! { a href=(location) { (words) } "." }.into_string() + "\n\n";
        let mut reply = Self::new(status, "text/html; charset=utf-8", body);
        let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
        reply.0.headers_mut().insert(LOCATION, location);
        reply
    }

    pub(super) fn found(location: &str) -> Self {
        Self::redirect(StatusCode::FOUND, location)
    }

    #[must_use]
    pub(super) fn cookie(mut self, cookie: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            self.0.headers_mut().append(SET_COOKIE, value);
        }
        self
    }

    pub(super) fn into_response(self) -> Response<Body> {
        self.0
    }
}
