//! Answers that the gateway makes itself.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};
use http_body_util::Full;

/// An answer with its whole body.
pub(super) type Reply = Response<Full<Bytes>>;

/// An answer without headers.
pub(super) fn plain(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    reply
}

/// An answer as Go's `http.Error` makes it, with a line end.
pub(super) fn error(status: StatusCode, text: &'static str) -> Reply {
    let mut reply = plain(status, text);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// What Traefik says when no router answers.
pub(super) fn no_router() -> Reply {
    error(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// A status with its reason as the body and no headers.
pub(super) fn reason(status: StatusCode) -> Reply {
    plain(status, status.canonical_reason().unwrap_or_default())
}

/// A redirect as Traefik's middlewares make it: 302 or 301, 307 or 308 for what is no GET.
pub(super) fn redirect(get: bool, permanent: bool, location: &str) -> Reply {
    let status = match (get, permanent) {
        (true, false) => StatusCode::FOUND,
        (true, true) => StatusCode::MOVED_PERMANENTLY,
        (false, false) => StatusCode::TEMPORARY_REDIRECT,
        (false, true) => StatusCode::PERMANENT_REDIRECT,
    };
    match HeaderValue::from_str(location) {
        Ok(location) => {
            let mut reply = reason(status);
            reply.headers_mut().insert(LOCATION, location);
            reply
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, ""),
    }
}

/// Dates an answer that is not dated yet; a switch of protocols is never dated.
pub(super) fn date(reply: &mut Reply) {
    if reply.status() == StatusCode::SWITCHING_PROTOCOLS || reply.headers().contains_key(DATE) {
        return;
    }
    let now = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&jiff::Timestamp::now());
    if let Some(now) = now.ok().and_then(|now| HeaderValue::from_str(&now).ok()) {
        reply.headers_mut().insert(DATE, now);
    }
}
