//! Answers in the form of the recordings: what differs from run to run has a name in angle brackets, if it is of the
//! kind that the name says.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Response;
use regex::Regex;
use serde_json::Value;

use super::client::element;
use super::data::Answer;
use super::request::written;
use super::scene::Scene;

/// An answer as the recordings have it.
pub(crate) struct Normal {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    session: Option<Value>,
}

/// `pattern` compiled once.
macro_rules! pattern {
    ($pattern:literal) => {{
        static PATTERN: OnceLock<Regex> = OnceLock::new();
        PATTERN.get_or_init(|| Regex::new($pattern).unwrap())
    }};
}

impl Normal {
    /// The answer to a request of `scene`.
    pub(crate) fn new(scene: &Scene, response: &Response<Bytes>) -> Self {
        let text = String::from_utf8_lossy(response.body()).into_owned();
        let header = |name: &str| {
            response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut body = text.clone();
        if let Some(id) = header("x-amz-request-id").filter(|id| pattern!("^[0-9A-F]{16}$").is_match(id)) {
            body = body.replace(&id, "<request-id>");
        }
        if let Some(id) = header("x-amz-id-2").filter(|id| pattern!("^[0-9a-f]{64}$").is_match(id)) {
            body = body.replace(&id, "<host-id>");
        }
        let session = session(&text);
        if let Some(claims) = &session {
            body = without_credentials(&body, claims);
        }
        if header("content-type").is_some_and(|media| media == "text/html")
            && let Some(title) = pattern!("<title>(.*?)</title>").captures(&body)
        {
            body = format!("<page {}>", &title[1]);
        }
        let body = pattern!("(expected )[A-Za-z0-9+/=]{44},").replace(&body, "${1}<mac>,");
        let body = pattern!("state=[A-Za-z0-9_%=-]{60,}").replace(&body, "state=<state>");
        let mut headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                (name.as_str().to_owned(), named(scene, &typed(name.as_str(), &value, text.len())))
            })
            .collect();
        headers.sort();
        let session = session.map(|mut claims| {
            claims["accessKey"] = "<access-key>".into();
            claims
        });
        Self { status: response.status().as_u16(), headers, body: named(scene, &body), session }
    }

    /// Where this is not `recorded`, for a token signed at `signed` and a request sent within `sent`, in seconds
    /// since 1970.
    pub(crate) fn differences(
        &self,
        recorded: &Answer,
        headers: &[(String, String)],
        signed: i64,
        sent: &RangeInclusive<i64>,
    ) -> Vec<String> {
        let mut found = Vec::new();
        if self.status != recorded.status {
            found.push(format!("status here: {}, recorded: {}", self.status, recorded.status));
        }
        let lacking = |these: &[(String, String)], those: &[(String, String)], word: &str| {
            let alone = these.iter().filter(|header| !those.contains(header));
            alone.map(|(name, value)| format!("header {word}: {name}: {value}")).collect::<Vec<_>>()
        };
        found.extend(lacking(&self.headers, headers, "here"));
        found.extend(lacking(headers, &self.headers, "recorded"));
        if self.body != recorded.body {
            found.push(format!("body here: {:?}", self.body));
            found.push(format!("body recorded: {:?}", recorded.body));
        }
        let there = recorded.session.as_ref().map(|claims| written(claims, signed));
        let mut here = self.session.clone();
        if let (Some(here), Some(there)) = (&mut here, &there) {
            lasting(here, there, sent);
        }
        if here != there {
            found.push(format!("session here: {here:?}"));
            found.push(format!("session recorded: {there:?}"));
        }
        found
    }
}

/// Names an end counted from the moment of the request, `<then+900>`, when it is one.
fn lasting(here: &mut Value, recorded: &Value, sent: &RangeInclusive<i64>) {
    let place = recorded["exp"].as_str().and_then(|text| text.strip_prefix("<then+")?.strip_suffix('>'));
    let lasts = place.and_then(|seconds| seconds.parse::<i64>().ok());
    if let (Some(lasts), Some(end)) = (lasts, here["exp"].as_i64())
        && sent.contains(&(end - lasts))
    {
        here["exp"] = recorded["exp"].clone();
    }
}

/// The claims of the session token in an answer of the STS.
fn session(body: &str) -> Option<Value> {
    let token = element(body, "SessionToken");
    let mut parts = token.split('.');
    let mut part = || serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok();
    let header = part()?;
    (header == serde_json::json!({ "alg": "HS512", "typ": "JWT" })).then(part)?
}

fn without_credentials(body: &str, claims: &Value) -> String {
    let put = |body: String, name: &str, kind: &Regex, place: &str| {
        let text = element(&body, name);
        if !kind.is_match(&text) {
            return body;
        }
        body.replace(&format!("<{name}>{text}</{name}>"), &format!("<{name}>{place}</{name}>"))
    };
    let key = element(body, "AccessKeyId");
    let mut body = body.to_owned();
    if claims["accessKey"] == key {
        body = put(body, "AccessKeyId", pattern!("^[A-Z0-9]{20}$"), "<access-key>");
    }
    body = put(body, "SecretAccessKey", pattern!("^[A-Za-z0-9+/]{40}$"), "<secret-key>");
    body = put(body, "SessionToken", pattern!("^[A-Za-z0-9_.-]+$"), "<session>");
    let ends = element(&body, "Expiration").parse::<jiff::Timestamp>();
    if ends.is_ok_and(|ends| claims["exp"].as_f64().is_some_and(|exp| exp as i64 == ends.as_second())) {
        body = put(body, "Expiration", pattern!("^.*Z$"), "<expiry>");
    }
    body
}

/// A header's value by its kind; `length` is that of the body.
fn typed(name: &str, value: &str, length: usize) -> String {
    let date = |text: &str| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).is_ok();
    match name {
        "date" | "last-modified" if date(value) => "<date>".to_owned(),
        "x-amz-request-id" if pattern!("^[0-9A-F]{16}$").is_match(value) => "<request-id>".to_owned(),
        "x-amz-id-2" if pattern!("^[0-9a-f]{64}$").is_match(value) => "<host-id>".to_owned(),
        "x-ratelimit-limit" | "x-ratelimit-remaining" if value.parse::<u32>().is_ok() => "<rate>".to_owned(),
        "content-length" if value == length.to_string() => "<length>".to_owned(),
        "set-cookie" => {
            let cookie = pattern!("^token=[A-Za-z0-9+/=]{20,};").replace(value, "token=<session>;");
            match pattern!("Expires=([^;]+)").captures(&cookie) {
                Some(expires) if date(&expires[1]) => cookie.replace(&expires[0], "Expires=<date>"),
                _ => cookie.into_owned(),
            }
        }
        _ => value.to_owned(),
    }
}

/// `text` with the names of who listens instead of their addresses.
pub(crate) fn named(scene: &Scene, text: &str) -> String {
    let mut text = text.to_owned();
    for (name, address) in
        [("<console>", scene.minio.console()), ("<s3>", scene.minio.api()), ("<provider>", scene.address)]
    {
        text = text.replace(&address.to_string(), name);
        text = text.replace(&address.to_string().replace(':', "%3A"), name);
    }
    text
}
