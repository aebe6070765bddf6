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

/// Answers one request; `console` is the console's port.
pub(super) async fn handle(shared: &Shared, console: u16, call: Call) -> Answer {
    let id = random(16, b"0123456789ABCDEF");
    let host = crate::digest::hex(&Sha256::digest(&shared.deployment_id));
    let mut answer = match route(shared, console, &call, &id).await {
        Ok(answer) => answer,
        Err(error) => refuse(&call, &error, &id, &host),
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        ("accept-ranges", "bytes"),
        ("server", "MinIO"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("x-xss-protection", "1; mode=block"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::VARY).or_insert(HeaderValue::from_static("Origin, Accept-Encoding"));
    for (name, value) in [("x-amz-request-id", id), ("x-amz-id-2", host)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    answer
}

async fn route(shared: &Shared, console: u16, call: &Call, id: &str) -> Result<Answer, S3Error> {
    let bad_part = |part: &str| part == "." || part == "..";
    if call.params.iter().any(|(_, value)| value.len() > MAX_PARAM || value.split('/').any(bad_part))
        || call.path.split('/').any(bad_part)
    {
        return Err(S3Error::InvalidResourceName);
    }
    if let Some(probe) = call.path.strip_prefix("/minio/health/") {
        return health(shared, probe);
    }
    if call.path.starts_with("/minio/admin/") {
        return admin::handle(shared, call).await;
    }
    if call.body.is_none() && call.method == Method::POST {
        return Err(S3Error::EntityTooLarge);
    }
    if sts::meant(call) {
        return sts::handle(shared, call, id).await;
    }
    if call.method == Method::GET && call.path == "/" && call.header("user-agent").contains("Mozilla") {
        return Ok(to_console(call, console));
    }
    s3::handle(shared, call).await
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
        return answer(status, "application/json", error.json(&call.path, id, host).to_string());
    }
    answer(status, "application/xml", error.xml(&call.path, id, host))
}
