//! Tokens and requests from their recorded form: times count from now, names in angle brackets stand for what is
//! known only in this run.

use bytes::Bytes;
use http::Response;
use serde_json::{Number, Value};

use super::client::{element, send};
use super::data::{Token, Wanted};
use super::idp;
use super::scene::Scene;

/// Claims with `<now+600>` as seconds since 1970 and `<9 chars>` written out.
pub(crate) fn written(claims: &Value, now: i64) -> Value {
    match claims {
        Value::String(text) => string(text, now),
        Value::Array(items) => items.iter().map(|item| written(item, now)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), written(value, now))).collect())
        }
        other => other.clone(),
    }
}

fn string(text: &str, now: i64) -> Value {
    if let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return Value::String(string(quoted, now).to_string());
    }
    let Some(place) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) else {
        return text.into();
    };
    if let Some(offset) = place.strip_prefix("now") {
        return match offset.parse::<i64>() {
            Ok(whole) => (now + whole).into(),
            Err(_) => Number::from_f64(now as f64 + offset.parse::<f64>().unwrap()).into(),
        };
    }
    match place.strip_suffix(" chars").and_then(|length| length.parse().ok()) {
        Some(length) => "x".repeat(length).into(),
        None => text.into(),
    }
}

/// Signs a token.
pub(crate) fn token(token: &Token, now: i64) -> String {
    idp::token(&token.header, &written(&token.claims, now), &token.key)
}

/// Sends a request; nothing when the connection gives no answer.
pub(crate) async fn ask(scene: &Scene, wanted: &Wanted<'_>, token: &str) -> Response<Bytes> {
    let address = if wanted.console { scene.minio.console() } else { scene.minio.api() };
    let fill = |text: &str| filled(scene, text, token);
    let mut url = format!("http://{address}{}", fill(wanted.path));
    let pairs = |pairs: &[(String, String)]| {
        let pairs = pairs.iter().map(|(name, value)| (name.clone(), fill(value)));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    if !wanted.query.is_empty() {
        url = format!("{url}?{}", pairs(wanted.query));
    }
    let mut headers = wanted.headers.to_vec();
    let mut body = String::new();
    if !wanted.form.is_empty() {
        headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        body = pairs(wanted.form);
    } else if let Some(json) = wanted.json {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        body = fill(&json.to_string());
    }
    if wanted.cookie {
        headers.push(("cookie".to_owned(), scene.cookie.clone()));
    }
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    send(wanted.method, &url, &headers, &body).await
}

fn filled(scene: &Scene, text: &str, token: &str) -> String {
    let mut text = text.replace("<token>", token);
    if text.contains("<other token>") {
        text = text.replace("<other token>", &idp::groups(serde_json::json!(["consoleAdmin"])));
    }
    if let Some(credentials) = &scene.credentials {
        text = text
            .replace("<access-key>", credentials.key())
            .replace("<secret-key>", credentials.secret())
            .replace("<session>", credentials.token().unwrap_or_default());
    }
    text.replace("<state>", &state(scene))
}

/// The state in the last redirect.
pub(crate) fn state(scene: &Scene) -> String {
    let pairs = scene.redirect.iter().flat_map(|url| url.query_pairs());
    pairs.filter(|(name, _)| name == "state").map(|(_, value)| value.into_owned()).next().unwrap_or_default()
}

/// The credentials in an answer of the STS.
pub(crate) fn credentials(body: &str) -> rusty_s3::Credentials {
    rusty_s3::Credentials::new_with_token(
        element(body, "AccessKeyId"),
        element(body, "SecretAccessKey"),
        element(body, "SessionToken"),
    )
}
