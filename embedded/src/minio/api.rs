//! The S3 port: health, admin, STS and S3 behind one router.

use http::{HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};

use super::call::{Answer, Call, answer};
use super::iam::random;
use super::s3error::S3Error;
use super::shared::Shared;
use super::{admin, s3, sts};

/// The longest query parameter, in bytes. A longer token belongs into a form body
/// (`truth/minio/14-authentik-shapes`: `big_token_query`).
const MAX_PARAM: usize = 32 << 10;

/// How many S3 requests a MinIO serves at once, as a header says; the recorded machine's.
const MOST_REQUESTS: HeaderValue = HeaderValue::from_static("6899");

/// The answers of the S3 port differ in their headers.
enum Kind {
    /// By a route of S3.
    S3,
    /// By another route, or without one.
    Other,
    /// The console's address, for a browser.
    ToConsole,
}

/// Answers one request; `console` is the console's port.
pub(super) async fn handle(shared: &Shared, console: u16, call: Call) -> Answer {
    let id = random(16, b"0123456789ABCDEF");
    let host = crate::digest::hex(&Sha256::digest(&shared.deployment_id));
    let (outcome, kind) = route(shared, console, &call, &id).await;
    // What has no route at all is answered before most headers are set.
    let bare = matches!(outcome, Err(S3Error::Unsupported(..)));
    let mut answer = outcome.unwrap_or_else(|error| refuse(&call, &error, &id, &host));
    let headers = answer.headers_mut();
    let vary = match kind {
        Kind::S3 => "Origin, Accept-Encoding",
        Kind::Other | Kind::ToConsole => "Origin",
    };
    headers.insert(header::VARY, HeaderValue::from_static(vary));
    if !matches!(kind, Kind::ToConsole) {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::SERVER, HeaderValue::from_static("MinIO"));
    }
    if bare {
        return answer;
    }
    if matches!(kind, Kind::S3) {
        headers.insert("x-ratelimit-limit", MOST_REQUESTS);
        headers.insert("x-ratelimit-remaining", MOST_REQUESTS);
    }
    for (name, value) in [
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-xss-protection", "1; mode=block"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [("x-amz-request-id", id), ("x-amz-id-2", host)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    answer
}

async fn route(shared: &Shared, console: u16, call: &Call, id: &str) -> (Result<Answer, S3Error>, Kind) {
    if let Some(outcome) = elsewhere(shared, call, id).await {
        return (outcome, Kind::Other);
    }
    if call.method == Method::GET && call.path == "/" && call.header("user-agent").contains("Mozilla") {
        return (Ok(to_console(call, console)), Kind::ToConsole);
    }
    let outcome = s3::handle(shared, call).await;
    let kind = match &outcome {
        Err(error) if !error.routed() => Kind::Other,
        _ => Kind::S3,
    };
    (outcome, kind)
}

/// What is answered outside S3, if `call` is.
async fn elsewhere(shared: &Shared, call: &Call, id: &str) -> Option<Result<Answer, S3Error>> {
    let bad_part = |part: &str| part == "." || part == "..";
    if call.params.iter().any(|(_, value)| value.len() > MAX_PARAM || value.split('/').any(bad_part))
        || call.path.split('/').any(bad_part)
    {
        return Some(Err(S3Error::InvalidResourceName));
    }
    if let Some(probe) = call.path.strip_prefix("/minio/health/") {
        return Some(health(shared, probe));
    }
    if call.path.starts_with("/minio/v2/metrics/") {
        // Nobody here has a token for them.
        return Some(Err(S3Error::Unauthenticated));
    }
    if call.path.starts_with("/minio/admin/") {
        return Some(admin::handle(shared, call).await);
    }
    if call.body.is_none() && call.method == Method::POST {
        return Some(Err(S3Error::EntityTooLarge));
    }
    if sts::meant(call) {
        return Some(sts::handle(shared, call, id).await);
    }
    None
}

/// `live` and `ready` say nothing about IAM; `cluster` does (`truth/minio/22-startup`).
fn health(shared: &Shared, probe: &str) -> Result<Answer, S3Error> {
    let status = match probe {
        "live" | "ready" => StatusCode::OK,
        "cluster" | "cluster/read" if shared.provider().is_some() => StatusCode::OK,
        "cluster" | "cluster/read" => StatusCode::SERVICE_UNAVAILABLE,
        _ => return Err(S3Error::AccessDenied),
    };
    Ok(answer(status, "", ""))
}

/// A browser at the S3 port is sent to the console.
fn to_console(call: &Call, port: u16) -> Answer {
    let authority = call.header("host").parse::<http::uri::Authority>();
    let host = authority.as_ref().map_or("127.0.0.1", |authority| authority.host());
    let location = format!("{}://{host}:{port}", call.scheme());
    let body = format!("<a href=\"{location}\">Temporary Redirect</a>.\n\n");
    let mut answer = answer(StatusCode::TEMPORARY_REDIRECT, "text/html; charset=utf-8", body);
    if let Ok(location) = HeaderValue::from_str(&location) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

fn refuse(call: &Call, error: &S3Error, id: &str, host: &str) -> Answer {
    let (status, ..) = error.parts();
    if call.method == Method::HEAD {
        return answer(status, "", "");
    }
    if call.path.starts_with("/minio/") && *error != S3Error::InvalidResourceName {
        let body = format!("{}\n", error.json(&call.path, id, host));
        return answer(status, "application/json", body);
    }
    answer(status, "application/xml", error.xml(&call.path, id, host))
}
