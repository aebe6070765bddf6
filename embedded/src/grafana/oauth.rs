//! Grafana's side of the code flow: state, verifier, the exchange of the code and the userinfo endpoint.

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::redirection::query_escape;
use super::settings::Settings;
use crate::dial::Client;
use crate::digest::hex;

/// The longest document read from a provider, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;

/// A new state: 32 random bytes.
pub(super) fn state() -> String {
    URL_SAFE.encode(rand::random::<[u8; 32]>())
}

/// What the cookie `oauth_state` holds for a state.
pub(super) fn hashed(state: &str, secret_key: &str, client_secret: &str) -> String {
    hex(&Sha256::digest(format!("{state}{secret_key}{client_secret}")))
}

/// A new PKCE verifier: 128 characters.
pub(super) fn verifier() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 96]>())
}

/// Where a browser goes to sign in. The parameters stand in the order of Go's `url.Values`: sorted.
pub(super) fn authorize_url(settings: &Settings, state: &str, verifier: Option<&str>) -> String {
    let challenge =
        verifier.map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))).unwrap_or_default();
    let redirect_uri = settings.redirect_uri();
    let scope = settings.scopes.join(" ");
    let query: Vec<String> = [
        ("client_id", settings.client_id.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", if challenge.is_empty() { "" } else { "S256" }),
        ("redirect_uri", redirect_uri.as_str()),
        ("response_type", "code"),
        ("scope", scope.as_str()),
        ("state", state),
    ]
    .into_iter()
    .filter(|(name, value)| !value.is_empty() || !name.starts_with("code_"))
    .map(|(name, value)| format!("{name}={}", query_escape(value)))
    .collect();
    let joint = if settings.authorize_url.contains('?') { '&' } else { '?' };
    format!("{}{joint}{}", settings.authorize_url, query.join("&"))
}

/// What the token endpoint gave.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    /// Anything but a string counts as none.
    id_token: Value,
    /// How long the access token is good for, in seconds; Go's library takes numbers and their text.
    expires_in: Value,
}

impl Tokens {
    pub(super) fn id_token(&self) -> Option<&str> {
        self.id_token.as_str()
    }

    /// How long the access token is good for; `None` for ever.
    pub(super) fn lifetime(&self) -> Option<Duration> {
        let seconds = match &self.expires_in {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }
}

/// The way to the provider. It remembers how the token endpoint wants the client to name itself.
pub(super) struct Provider {
    client: Client,
    style: OnceLock<Style>,
}

/// How the client names itself at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Header,
    Params,
}

impl Provider {
    pub(super) fn new(settings: &Settings) -> Self {
        let client = Client::new(settings.names.clone(), settings.tls.clone());
        Self { client: client.with_bounds(MAX_DOCUMENT, Duration::from_secs(10)), style: OnceLock::new() }
    }

    /// Exchanges `code`. Until one exchange succeeded, a refused one is tried a second time with the client in the
    /// form, as Go's oauth2 library does: a provider then sees the code twice. The error is that library's.
    pub(super) async fn redeem(
        &self,
        settings: &Settings,
        code: &str,
        verifier: Option<&str>,
    ) -> Result<Tokens, String> {
        let styles: &[Style] = match self.style.get() {
            Some(Style::Header) => &[Style::Header],
            Some(Style::Params) => &[Style::Params],
            None => &[Style::Header, Style::Params],
        };
        let mut refused = String::new();
        for style in styles {
            let (headers, form) = exchange(*style, settings, code, verifier);
            match self.send(Method::POST, &settings.token_url, headers, form).await.and_then(tokens) {
                Ok(tokens) => {
                    let _ = self.style.set(*style);
                    return Ok(tokens);
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Fetches JSON from `url` with the access token, redirects not followed.
    pub(super) async fn get(&self, url: &str, access_token: &str) -> Result<Value, String> {
        let mut headers = HeaderMap::new();
        let bearer = HeaderValue::from_str(&format!("Bearer {access_token}"))
            .map_err(|_| "net/http: invalid header field value for \"Authorization\"".to_owned())?;
        headers.insert(AUTHORIZATION, bearer);
        let (status, body) = self.send(Method::GET, url, headers, String::new()).await?;
        if status.as_u16() >= 300 {
            return Err(format!("unsuccessful response status code {}: {}", status.as_u16(), excerpt(&body)));
        }
        serde_json::from_slice(&body).map_err(|error| format!("error decoding JSON: {error}"))
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<(http::StatusCode, Bytes), String> {
        let parsed: http::Uri = url.parse().map_err(|_| format!("invalid URL {url:?}"))?;
        if !matches!(parsed.scheme_str(), Some("http" | "https")) {
            return Err(format!("unsupported protocol scheme in {url:?}"));
        }
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = parsed;
        *request.headers_mut() = headers;
        let response = self.client.send(request).await.map_err(|error| error.to_string())?;
        Ok((response.status(), response.into_body()))
    }
}

fn exchange(style: Style, settings: &Settings, code: &str, verifier: Option<&str>) -> (HeaderMap, String) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let redirect_uri = settings.redirect_uri();
    let mut form = vec![
        ("code", code),
        ("code_verifier", verifier.unwrap_or_default()),
        ("grant_type", "authorization_code"),
        ("redirect_uri", redirect_uri.as_str()),
    ];
    form.retain(|(name, value)| *name != "code_verifier" || !value.is_empty());
    match style {
        Style::Header => {
            let (id, secret) = (query_escape(&settings.client_id), query_escape(&settings.client_secret));
            let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
            if let Ok(basic) = HeaderValue::from_str(&basic) {
                headers.insert(AUTHORIZATION, basic);
            }
        }
        Style::Params => {
            form.push(("client_id", &settings.client_id));
            form.push(("client_secret", &settings.client_secret));
            form.sort_by_key(|(name, _)| *name);
        }
    }
    let form: Vec<String> =
        form.into_iter().map(|(name, value)| format!("{name}={}", query_escape(value))).collect();
    (headers, form.join("&"))
}

fn tokens((status, body): (http::StatusCode, Bytes)) -> Result<Tokens, String> {
    if !status.is_success() {
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = |name: &str| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        return Err(match (text("error"), text("error_description")) {
            (Some(code), Some(description)) => format!("oauth2: {code:?} {description:?}"),
            (Some(code), None) => format!("oauth2: {code:?}"),
            (None, _) => format!("oauth2: cannot fetch token: {status}, response: {}", excerpt(&body)),
        });
    }
    let tokens: Tokens =
        serde_json::from_slice(&body).map_err(|error| format!("oauth2: cannot parse json: {error}"))?;
    if tokens.access_token.is_empty() {
        return Err("oauth2: server response missing access_token".to_owned());
    }
    Ok(tokens)
}

/// The beginning of a body, for a log line.
fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hash_is_over_state_secret_key_and_client_secret() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hashed("a", "b", "c"), abc);
        assert_eq!((state().len(), verifier().len()), (44, 128));
    }

    #[test]
    fn lifetimes_are_numbers_or_their_text() {
        let lifetime = |value: Value| Tokens { expires_in: value, ..Tokens::default() }.lifetime();
        assert_eq!(lifetime(json!(300)), Some(Duration::from_secs(300)));
        assert_eq!(lifetime(json!("300")), Some(Duration::from_secs(300)));
        assert_eq!(lifetime(json!(0)), None);
        assert_eq!(lifetime(Value::Null), None);
    }

    #[test]
    fn refusals_name_the_error_of_the_provider() {
        let refused = |status: u16, body: &'static str| {
            let status = http::StatusCode::from_u16(status).unwrap();
            tokens((status, Bytes::from_static(body.as_bytes()))).unwrap_err()
        };
        assert_eq!(
            refused(400, r#"{"error":"invalid_grant","error_description":"used"}"#),
            "oauth2: \"invalid_grant\" \"used\""
        );
        assert_eq!(refused(502, "x"), "oauth2: cannot fetch token: 502 Bad Gateway, response: x");
        assert_eq!(refused(200, "{}"), "oauth2: server response missing access_token");
        assert!(refused(200, "<html>").starts_with("oauth2: cannot parse json: "));
    }
}
