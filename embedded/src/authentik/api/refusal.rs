//! What the API answers, and how it refuses (`02-config-errors`).

use axum::body::Body;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::super::flows::answer;
use super::super::profile::Profile;

/// An answer: a status with its JSON, or a refusal.
pub(super) type Answer = Result<(StatusCode, Value), Refusal>;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The fields that are wrong, with their errors: 400.
    #[error("invalid fields")]
    Invalid(Map<String, Value>),
    /// The body is no JSON object: 400.
    #[error("JSON parse error - {0}")]
    Unreadable(String),
    /// Nobody, or somebody who may not: 403.
    #[error("{0}")]
    Denied(&'static str),
    /// The object is not there: 404.
    #[error("No {0} matches the given query.")]
    Missing(&'static str),
    /// The path is not there: the core's 404 page.
    #[error("no such path")]
    NoSuchPath,
    /// The path is there, the method is not: 405.
    #[error("Method \"{0}\" not allowed.")]
    Method(Method),
}

impl Refusal {
    /// One error about one field.
    pub(super) fn field(name: &str, text: impl Into<String>) -> Self {
        Self::Invalid(Map::from_iter([(name.to_owned(), json!([text.into()]))]))
    }
}

/// The response of an answer; `allow` names the methods of the path.
pub(super) fn response(answer: Answer, allow: &'static str, profile: &Profile) -> Response<Body> {
    let (status, body) = match answer {
        Ok(answer) => answer,
        Err(Refusal::NoSuchPath) => return answer::not_found(),
        Err(Refusal::Invalid(errors)) => (StatusCode::BAD_REQUEST, Value::Object(errors)),
        Err(refusal) => {
            let status = match refusal {
                Refusal::Unreadable(_) => StatusCode::BAD_REQUEST,
                Refusal::Denied(_) => StatusCode::FORBIDDEN,
                Refusal::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
                _ => StatusCode::NOT_FOUND,
            };
            (status, json!({ "detail": refusal.to_string() }))
        }
    };
    let mut response = if status == StatusCode::NO_CONTENT {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response
    } else {
        answer::json(status, &body)
    };
    if profile.charset_in_api && status != StatusCode::NO_CONTENT {
        let media = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, media);
    }
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// 200 with a body.
pub(super) fn shown(body: Value) -> Answer {
    Ok((StatusCode::OK, body))
}

/// 204.
pub(super) fn done() -> Answer {
    Ok((StatusCode::NO_CONTENT, Value::Null))
}
