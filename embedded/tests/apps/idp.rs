//! A provider as small as Grafana needs: a token and a userinfo endpoint whose answers are set at will.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use ssoproof_embedded::dial::Names;
use tokio::task::JoinHandle;

/// The provider's name in the stack.
pub(crate) const HOST: &str = "auth.test";

#[derive(Default)]
struct Shown {
    token: (u16, Value),
    userinfo: (u16, Value),
    /// Refuse clients that name themselves in the header.
    form_only: bool,
    seen: Vec<String>,
}

/// A running provider; dropping it closes its port.
pub(crate) struct Idp {
    shown: Arc<Mutex<Shown>>,
    task: JoinHandle<()>,
}

impl Drop for Idp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Idp {
    pub(crate) async fn start(names: &Names) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        names.insert(HOST, 80, listener.local_addr().unwrap());
        let shown = Arc::new(Mutex::new(Shown { userinfo: (404, Value::Null), ..Shown::default() }));
        let app = Router::new().fallback(answer).with_state(shown.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { shown, task }
    }

    /// Makes the token endpoint give an id token with `claims`, and an opaque access token.
    pub(crate) fn show_claims(&self, claims: &Value) {
        self.show_token(
            200,
            json!({ "access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "id_token": jwt(claims) }),
        );
    }

    pub(crate) fn show_token(&self, status: u16, body: Value) {
        self.shown.lock().unwrap().token = (status, body);
    }

    pub(crate) fn show_userinfo(&self, status: u16, body: Value) {
        self.shown.lock().unwrap().userinfo = (status, body);
    }

    pub(crate) fn take_clients_in_the_form_only(&self) {
        self.shown.lock().unwrap().form_only = true;
    }

    /// What came since the last call: path, authorization and body.
    pub(crate) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.shown.lock().unwrap().seen)
    }
}

async fn answer(
    State(shown): State<Arc<Mutex<Shown>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    let mut shown = shown.lock().unwrap();
    shown.seen.push(format!("{} {authorization} {}", uri.path(), String::from_utf8_lossy(&body)));
    let (status, body) = match uri.path() {
        "/token/" if shown.form_only && !authorization.is_empty() => {
            (401, json!({ "error": "invalid_client" }))
        }
        "/token/" => shown.token.clone(),
        "/userinfo/" => shown.userinfo.clone(),
        _ => (404, Value::Null),
    };
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// A JWT with `claims` and a signature that nobody checks.
pub(crate) fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "RS256", "kid": "k" })), part(claims))
}
