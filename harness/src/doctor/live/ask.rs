//! GET, and nothing else.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, LOCATION};
use http::{Request, Response};
use http_body_util::Full;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use ssoproof_embedded::dial::Client;

use crate::doctor::finding::{Code, Finding, Outcome, Severity};
use crate::doctor::proof::Proof;

/// The longest answer that is read, in bytes, and the longest wait for one.
const BOUNDS: (usize, Duration) = (4 << 20, Duration::from_secs(15));

/// The way to what runs.
pub(crate) struct Ask {
    pub(super) client: Client,
}

impl Ask {
    pub(crate) fn new(client: Client) -> Self {
        Self { client: client.with_bounds(BOUNDS.0, BOUNDS.1) }
    }

    /// What `url` answers to a GET; follows nothing.
    pub(super) async fn get(
        &self,
        url: &str,
        token: Option<&SecretString>,
    ) -> Result<Response<Bytes>, String> {
        let mut request = Request::builder().uri(url).header(ACCEPT, "text/html,application/json");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
        }
        let request = request.body(Full::<Bytes>::default()).map_err(|error| error.to_string())?;
        self.client.send(request).await.map_err(|error| error.to_string())
    }

    /// The JSON at `url`, or what there is instead.
    pub(crate) async fn json(&self, url: &str, token: Option<&SecretString>) -> Result<Value, String> {
        let answer = self.get(url, token).await?;
        if !answer.status().is_success() {
            return Err(seen(&answer));
        }
        serde_json::from_slice(answer.body()).map_err(|_| format!("{}, and no JSON", seen(&answer)))
    }
}

/// An answer in a few words.
pub(super) fn seen(answer: &Response<Bytes>) -> String {
    let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
    let to = to.map(|to| format!(" to {}", to.split('?').next().unwrap_or_default())).unwrap_or_default();
    format!("{}{to}", answer.status().as_u16())
}

/// A finding about what runs: it was asked, and this is what it said.
pub(super) fn told(
    code: &'static Code,
    severity: Severity,
    message: String,
    asked: &str,
    seen: String,
) -> Finding {
    let proof = Proof::Evaluated { question: format!("GET {asked}"), answer: seen.clone() };
    let mut finding = Finding::new(code, severity, None, message, proof);
    finding.outcome = Outcome::Confirmed(seen);
    finding
}
