//! The console's side of the code flow: its state and the exchange of the code
//! (`truth/minio/31-old-console-1.7.6-sso`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded;

use super::go;
use super::iam::random;
use super::openid::Fetcher;
use super::settings::OpenId;
use crate::digest::hmac_sha256;

/// The name of the only provider.
const PROVIDER: &str = "_";

/// Makes and checks states. They are bound to no browser, never expire and may be used again and again.
pub(super) struct States {
    key: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Outer {
    state: String,
    #[serde(default)]
    idp_name: String,
}

impl States {
    /// The key is derived from the client and the deployment, so that every node of a MinIO knows it.
    pub(super) fn new(client_id: &str, deployment_id: &str) -> Self {
        Self { key: format!("{client_id}{deployment_id}").into_bytes() }
    }

    /// A new state.
    pub(super) fn issue(&self) -> String {
        let message = random(25, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        let state = STANDARD.encode(format!("{message}:{}", self.mac(&message)));
        let outer = Outer { state, idp_name: PROVIDER.to_owned() };
        STANDARD.encode(serde_json::to_string(&outer).unwrap_or_default())
    }

    /// Takes a state apart, before the provider is looked up.
    pub(super) fn open(state: &str) -> Result<String, String> {
        let bytes = decode(state)?;
        let outer: Outer = serde_json::from_slice(&bytes).map_err(|error| go::json_error(&bytes, &error))?;
        match outer.idp_name.as_str() {
            PROVIDER => Ok(outer.state),
            other => Err(format!("selected IDP {other} does not exist")),
        }
    }

    /// Checks what [`States::open`] gave. A bad one is told the good one, as recorded (`auth_bad_hmac`).
    pub(super) fn check(&self, inner: &str) -> Result<(), String> {
        let bytes = decode(inner)?;
        let text = String::from_utf8_lossy(&bytes);
        let parts: Vec<&str> = text.split(':').collect();
        let [message, got] = parts[..] else {
            return Err(format!("invalid number of tokens, expected only 2, got {} instead", parts.len()));
        };
        let expected = self.mac(message);
        if expected == got {
            Ok(())
        } else {
            Err(format!("oauth2 state is invalid, expected {expected}, got {got}"))
        }
    }

    fn mac(&self, message: &str) -> String {
        STANDARD.encode(hmac_sha256(&self.key, message.as_bytes()))
    }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    STANDARD
        .decode(text)
        .map_err(|error| format!("illegal base64 data at input byte {}", go::base64_offset(&error)))
}

/// Where a browser goes to sign in. The scope text ends in `openid` whatever is configured.
pub(super) fn authorize_url(endpoint: &str, openid: &OpenId, redirect_uri: &str, state: &str) -> String {
    let scopes = openid.scopes.split(',').filter(|scope| !scope.is_empty()).chain(["openid"]);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &openid.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("response_type", "code")
        .append_pair("scope", &scopes.collect::<Vec<_>>().join(" "))
        .append_pair("state", state)
        .finish();
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{joint}{query}")
}

/// What the token endpoint gave.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) id_token: String,
    /// How long the access token is good for, in seconds.
    pub(super) expires_in: i64,
}

/// How the client names itself at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Header,
    Params,
}

/// Exchanges codes; remembers how the token endpoint wants the client to name itself.
#[derive(Default)]
pub(super) struct Exchange {
    style: Mutex<Option<Style>>,
}

impl Exchange {
    /// Forgets how the endpoint wants it.
    pub(super) fn forget(&self) {
        *self.style() = None;
    }

    fn style(&self) -> MutexGuard<'_, Option<Style>> {
        self.style.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exchanges `code`. Until one exchange succeeded, a refused one is tried a second time with the client in the
    /// form, as Go's oauth2 library does: a provider then sees the code twice.
    pub(super) async fn redeem(
        &self,
        fetcher: &Fetcher,
        endpoint: &str,
        openid: &OpenId,
        redirect_uri: &str,
        code: &str,
    ) -> Result<Tokens, String> {
        let known = *self.style();
        let styles: &[Style] = match known {
            Some(Style::Header) => &[Style::Header],
            Some(Style::Params) => &[Style::Params],
            None => &[Style::Header, Style::Params],
        };
        let mut refused = String::new();
        for style in styles {
            let (headers, body) = request(*style, openid, redirect_uri, code);
            let response = fetcher.send(Method::POST, endpoint, headers, body).await;
            let response = response.map_err(|error| error.to_string())?;
            if response.status().is_success() {
                let tokens: Tokens = serde_json::from_slice(response.body()).map_err(|error| {
                    format!("oauth2: cannot parse json: {}", go::json_error(response.body(), &error))
                })?;
                *self.style() = Some(*style);
                return usable(tokens);
            }
            refused = refusal(response.status(), response.body());
        }
        Err(refused)
    }
}

fn request(style: Style, openid: &OpenId, redirect_uri: &str, code: &str) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let mut form = form_urlencoded::Serializer::new(String::new());
    match style {
        Style::Header => {
            let coded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let basic =
                STANDARD.encode(format!("{}:{}", coded(&openid.client_id), coded(&openid.client_secret)));
            if let Ok(basic) = HeaderValue::from_str(&format!("Basic {basic}")) {
                headers.insert(header::AUTHORIZATION, basic);
            }
        }
        Style::Params => {
            form.append_pair("client_id", &openid.client_id)
                .append_pair("client_secret", &openid.client_secret);
        }
    }
    form.append_pair("code", code)
        .append_pair("grant_type", "authorization_code")
        .append_pair("redirect_uri", redirect_uri);
    (headers, form.finish().into())
}

fn usable(tokens: Tokens) -> Result<Tokens, String> {
    if tokens.access_token.is_empty() {
        return Err("oauth2: server response missing access_token".to_owned());
    }
    if tokens.id_token.is_empty() {
        return Err("missing id_token".to_owned());
    }
    Ok(tokens)
}

/// A refused exchange in the words of Go's oauth2 library.
fn refusal(status: http::StatusCode, body: &Bytes) -> String {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| parsed.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (text("error"), text("error_description")) {
        (Some(code), Some(description)) => format!("oauth2: {code:?} {description:?}"),
        (Some(code), None) => format!("oauth2: {code:?}"),
        (None, _) => {
            format!("oauth2: cannot fetch token: {status}\nResponse: {}", String::from_utf8_lossy(body))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn openid() -> OpenId {
        OpenId {
            client_id: "minio-client".to_owned(),
            client_secret: "minio-secret-0123456789abcdef0123456789abcdef".to_owned(),
            scopes: "openid,profile,email".to_owned(),
            ..OpenId::default()
        }
    }

    #[test]
    fn state_has_the_recorded_shape_and_may_be_used_again() {
        let states = States::new("minio-client", "deployment");
        let issued = states.issue();
        let outer: Value = serde_json::from_slice(&STANDARD.decode(&issued).unwrap()).unwrap();
        assert_eq!(outer["idp_name"], "_");
        let inner = States::open(&issued).unwrap();
        assert_eq!(states.check(&inner), Ok(()));
        assert_eq!(states.check(&inner), Ok(()));
        assert!(States::new("minio-client", "another").check(&inner).is_err());
    }

    #[test]
    fn bad_states_are_refused_in_the_recorded_words() {
        let states = States::new("minio-client", "deployment");
        assert_eq!(States::open("xyz").unwrap_err(), "illegal base64 data at input byte 0");
        let forged = states.check(&STANDARD.encode("xxx:yyy")).unwrap_err();
        assert!(forged.starts_with("oauth2 state is invalid, expected "), "{forged}");
        assert!(forged.ends_with("=, got yyy"), "{forged}");
    }

    #[test]
    fn authorize_url_asks_for_openid_twice() {
        let url = authorize_url(
            "http://127.0.0.1:19425/application/o/authorize/",
            &openid(),
            "http://127.0.0.1:19440/oauth_callback",
            "S",
        );
        assert_eq!(
            url,
            "http://127.0.0.1:19425/application/o/authorize/?client_id=minio-client&redirect_uri=http%3A%2F%2F127.0.0.1%3A19440%2Foauth_callback&response_type=code&scope=openid+profile+email+openid&state=S"
        );
    }

    #[test]
    fn client_names_itself_in_the_header_and_the_form_is_the_recorded_one() {
        let (headers, body) =
            request(Style::Header, &openid(), "http://127.0.0.1:19440/oauth_callback", "abc");
        assert_eq!(
            headers[header::AUTHORIZATION],
            "Basic bWluaW8tY2xpZW50Om1pbmlvLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="
        );
        assert_eq!(
            body,
            "code=abc&grant_type=authorization_code&redirect_uri=http%3A%2F%2F127.0.0.1%3A19440%2Foauth_callback"
        );
    }

    #[test]
    fn refusals_name_the_error_of_the_provider() {
        let body = Bytes::from(json!({ "error": "invalid_grant", "error_description": "used" }).to_string());
        assert_eq!(refusal(http::StatusCode::BAD_REQUEST, &body), "oauth2: \"invalid_grant\" \"used\"");
        assert_eq!(
            refusal(http::StatusCode::BAD_GATEWAY, &Bytes::from_static(b"x")),
            "oauth2: cannot fetch token: 502 Bad Gateway\nResponse: x"
        );
    }
}
