//! A provider as small as MinIO needs: discovery, JWKS, userinfo and a token endpoint, each answer set at will.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::pkcs1::EncodeRsaPrivateKey;
use serde_json::{Map, Value, json};
use ssoproof_embedded::dial::Names;
use tokio::task::JoinHandle;

/// The provider's name in the stack.
pub(crate) const HOST: &str = "idp.test";
/// The client secret MinIO is started with.
pub(crate) const SECRET: &str = "minio-secret-0123456789abcdef0123456789abcdef";

#[derive(Default)]
struct Shown {
    answers: BTreeMap<&'static str, (u16, String)>,
    seen: Vec<String>,
}

/// A running provider; dropping it closes its port.
pub(crate) struct Idp {
    shown: Arc<Mutex<Shown>>,
    task: JoinHandle<()>,
    pub address: SocketAddr,
}

impl Drop for Idp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Idp {
    /// Starts a provider that shows the key `k1` and is reached as [`HOST`].
    pub(crate) async fn start(names: &Names) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        for port in [80, 443] {
            names.insert(HOST, port, address);
        }
        let shown = Arc::new(Mutex::new(Shown::default()));
        let app = Router::new().fallback(answer).with_state(shown.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let idp = Self { shown, task, address };
        idp.show(
            "discovery",
            200,
            json!({
                "issuer": format!("http://{HOST}/application/o/minio/"),
                "authorization_endpoint": format!("http://{HOST}/application/o/authorize/"),
                "token_endpoint": format!("http://{HOST}/application/o/token/"),
                "userinfo_endpoint": format!("http://{HOST}/application/o/userinfo/"),
                "jwks_uri": format!("http://{HOST}/application/o/minio/jwks/"),
            }),
        );
        idp.show_keys(json!([jwk("k1", "k1")]));
        idp
    }

    /// Sets the answer of `discovery`, `jwks`, `userinfo` or `token`.
    pub(crate) fn show(&self, part: &'static str, status: u16, body: Value) {
        let text = match body {
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.shown.lock().unwrap().answers.insert(part, (status, text));
    }

    /// Sets the JWKS.
    pub(crate) fn show_keys(&self, keys: Value) {
        self.show("jwks", 200, json!({ "keys": keys }));
    }

    /// What came since the last call: method and path, and for posts the authorization and body.
    pub(crate) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.shown.lock().unwrap().seen)
    }
}

async fn answer(
    State(shown): State<Arc<Mutex<Shown>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let part = match uri.path() {
        "/application/o/minio/.well-known/openid-configuration" => "discovery",
        "/application/o/minio/jwks/" => "jwks",
        "/application/o/userinfo/" => "userinfo",
        "/application/o/token/" => "token",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let mut shown = shown.lock().unwrap();
    let authorization = headers.get(header::AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    let body = String::from_utf8_lossy(&body);
    shown.seen.push(format!("{method} {part} {authorization} {body}").trim().to_owned());
    let (status, text) = shown.answers.get(part).cloned().unwrap_or((404, String::new()));
    // Closed after each answer, so that a provider that goes down is down.
    let close = [(header::CONNECTION, "close"), (header::CONTENT_TYPE, "application/json")];
    (StatusCode::from_u16(status).unwrap(), close, text).into_response()
}

/// An Ed25519 seed in PKCS #8 version 1, without the public key that not every reader takes.
fn ed25519_der(seed: &[u8; 32]) -> Vec<u8> {
    const PREFIX: [u8; 16] =
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    [&PREFIX[..], &seed[..]].concat()
}

/// The signing key of `name`; the same all through the run.
fn signing_key(name: &str) -> &'static EncodingKey {
    static KEYS: OnceLock<BTreeMap<&'static str, EncodingKey>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let rsa = || {
            let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2_048).unwrap();
            EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes())
        };
        let long = include_bytes!("../data/minio/rsa-4096.pem");
        let curve = |algorithm| rcgen::KeyPair::generate_for(algorithm).unwrap().serialize_der();
        BTreeMap::from([
            ("k1", rsa()),
            ("other", rsa()),
            ("third", rsa()),
            ("rsa4096", EncodingKey::from_rsa_pem(long).unwrap()),
            ("ec", EncodingKey::from_ec_der(&curve(&rcgen::PKCS_ECDSA_P256_SHA256))),
            ("ec384", EncodingKey::from_ec_der(&curve(&rcgen::PKCS_ECDSA_P384_SHA384))),
            ("ed", EncodingKey::from_ed_der(&ed25519_der(&rand::random()))),
            ("secret", EncodingKey::from_secret(SECRET.as_bytes())),
            ("wrong-secret", EncodingKey::from_secret(b"wrong")),
        ])
    });
    &keys[name]
}

/// The public half of the key of `name`, under `kid`, as Authentik publishes it.
pub(crate) fn jwk(name: &str, kid: &str) -> Value {
    let algorithm = match name {
        "ec" => Algorithm::ES256,
        "ec384" => Algorithm::ES384,
        "ed" => Algorithm::EdDSA,
        _ => Algorithm::RS256,
    };
    let mut jwk =
        serde_json::to_value(Jwk::from_encoding_key(signing_key(name), algorithm).unwrap()).unwrap();
    jwk["kid"] = kid.into();
    jwk["use"] = "sig".into();
    jwk
}

/// A token with any header and claims, signed by the key of `by`; `none` and `tampered` are what they say,
/// `rsa-pem` takes the public RSA key for an HMAC secret.
pub(crate) fn token(header: &Value, claims: &Value, by: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let algorithm = header["alg"].as_str().unwrap().parse::<Algorithm>();
    let sign = |text: &str, key: &EncodingKey| {
        jsonwebtoken::crypto::sign(text.as_bytes(), key, algorithm.clone().unwrap()).unwrap()
    };
    let signature = match by {
        "none" => String::new(),
        "tampered" => sign("something else", signing_key("k1")),
        "rsa-pem" => sign(&message, &EncodingKey::from_secret(jwk("k1", "k1").to_string().as_bytes())),
        _ => sign(&message, signing_key(by)),
    };
    format!("{message}.{signature}")
}

/// A token as Authentik signs it for MinIO's client, good for ten minutes, with `groups`.
pub(crate) fn groups(groups: Value) -> String {
    let claims = claims_at(
        json!({ "sub": "sub-alice", "aud": "minio-client", "groups": groups }),
        &json!({
            "exp": 600, "iat": 0,
        }),
    );
    token(&json!({ "alg": "RS256", "kid": "k1", "typ": "JWT" }), &claims, "k1")
}

/// `claims` and `times`, the latter seconds from now.
pub(crate) fn claims_at(mut claims: Value, times: &Value) -> Value {
    let now = jiff::Timestamp::now().as_second();
    let all: &mut Map<String, Value> = claims.as_object_mut().unwrap();
    for (name, offset) in times.as_object().unwrap() {
        let time = match offset.as_i64() {
            Some(whole) => json!(now + whole),
            None => json!(now as f64 + offset.as_f64().unwrap()),
        };
        all.insert(name.clone(), time);
    }
    claims
}
