//! Authentik's REST API, as far as provisioning calls it.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::Full;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use ssoproof_embedded::dial::Client;

use crate::stacks::StackError;

/// The API of one Authentik, with an administrator's token.
pub(super) struct Api {
    client: Client,
    base: String,
    token: SecretString,
}

impl Api {
    pub(super) fn new(client: Client, base: &str, token: &SecretString) -> Self {
        Self { client, base: base.trim_end_matches('/').to_owned(), token: token.clone() }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, StackError> {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, StackError> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Result<Value, StackError> {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StackError> {
        self.call(Method::DELETE, path, None).await.map(drop)
    }

    /// The text `key` of the only result of a list.
    pub(super) async fn only(&self, path: &str, key: &str) -> Result<String, StackError> {
        let list = self.get(path).await?;
        match list["results"].as_array().map(Vec::as_slice) {
            Some([one]) => Ok(text(one, key)),
            other => Err(StackError::Provision {
                what: path.to_owned(),
                reason: format!("{} results instead of one", other.map_or(0, <[Value]>::len)),
            }),
        }
    }

    /// One call; the answer is `null` when it has no body.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, StackError> {
        let failed = |reason: String| StackError::Provision { what: format!("{method} {path}"), reason };
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}/api/v3/{path}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", self.token.expose_secret()))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(bytes))
            .map_err(|error| failed(error.to_string()))?;
        let response = self.client.send(request).await.map_err(|error| failed(error.to_string()))?;
        let (status, body) = (response.status(), response.into_body());
        if !status.is_success() {
            return Err(failed(format!("{status} {}", String::from_utf8_lossy(&body))));
        }
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// The text or number at `key`, as text.
pub(super) fn text(value: &Value, key: &str) -> String {
    match &value[key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
