//! The answers that the gateway gives by itself.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};

/// A response with its whole body.
pub(super) type Answer = Response<Bytes>;

/// No router takes the request.
pub(super) fn not_found() -> Answer {
    let mut answer = text(StatusCode::NOT_FOUND, "404 page not found\n");
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// A service does not answer.
pub(super) fn bad_gateway() -> Answer {
    text(StatusCode::BAD_GATEWAY, "Bad Gateway")
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Answer {
    text(status, "")
}

/// A redirect.
pub(super) fn redirect(location: &str, permanent: bool) -> Answer {
    let status = if permanent { StatusCode::MOVED_PERMANENTLY } else { StatusCode::FOUND };
    let mut answer = text(status, status.canonical_reason().unwrap_or_default());
    match HeaderValue::from_str(location) {
        Ok(value) => {
            answer.headers_mut().insert(LOCATION, value);
            answer
        }
        Err(_) => empty(StatusCode::BAD_REQUEST),
    }
}

fn text(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Bytes::from_static(text.as_bytes()));
    *answer.status_mut() = status;
    answer
}
