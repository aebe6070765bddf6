//! Answers as Go's `net/http` writes them, which is what the outpost's clients see.

use std::io;

use axum::body::Body;
use http::header::{CONTENT_TYPE, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode};

/// Marks an answer that is never sent.
#[derive(Clone)]
struct Dropped;

/// A handler that panicked: the connection closes without an answer, which a gateway turns into a 502.
pub(crate) fn dropped() -> Response<Body> {
    let mut response = bare(StatusCode::BAD_GATEWAY);
    response.extensions_mut().insert(Dropped);
    response
}

/// The response, unless it is one that is [`dropped`].
///
/// # Errors
/// An error for the server, which closes the connection then.
pub(crate) fn unless_dropped(response: Response<Body>) -> io::Result<Response<Body>> {
    match response.extensions().get::<Dropped>() {
        Some(_) => Err(io::Error::other("handler panicked")),
        None => Ok(response),
    }
}

/// An empty answer without headers.
pub(crate) fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An empty answer with `status`, as those are that could have been compressed.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = bare(status);
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

/// A plain-text error, as `http.Error`: the text, a line end, and `nosniff`.
pub(crate) fn error(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = empty(status);
    *response.body_mut() = Body::from(format!("{text}\n"));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A 302 to `location`, as `http.Redirect`: a link in the body for GET, a content type for GET and HEAD.
pub(crate) fn redirect(method: &Method, location: &str) -> Response<Body> {
    let mut response = empty(StatusCode::FOUND);
    let Ok(value) = HeaderValue::from_bytes(&hex_escaped(location)) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    response.headers_mut().insert(LOCATION, value);
    if method == Method::GET || method == Method::HEAD {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    }
    if method == Method::GET {
        *response.body_mut() = Body::from(format!("<a href=\"{}\">Found</a>.\n\n", html_escaped(location)));
    }
    response
}

/// Bytes outside ASCII percent-encoded, control characters too, so that any text is a header value.
fn hex_escaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() || byte == b' ' {
            bytes.push(byte);
        } else {
            bytes.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    bytes
}

fn html_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_redirect_has_no_body_and_no_content_type() {
        let response = redirect(&Method::POST, "https://auth.spacemusic.tv/?a=1&b=2");
        assert_eq!(response.status(), StatusCode::FOUND);
        assert!(response.headers().get(CONTENT_TYPE).is_none());
        assert_eq!(response.headers()[LOCATION], "https://auth.spacemusic.tv/?a=1&b=2");
    }

    #[test]
    fn any_text_is_a_location() {
        let response = redirect(&Method::GET, "https://x/\u{fc}\r\nX: y");
        assert_eq!(response.headers()[LOCATION], "https://x/%C3%BC%0D%0AX: y");
    }
}
