//! The routers in force, from Traefik's API.

use base64::Engine as _;
use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::Full;
use serde_json::{Map, Value, json};
use ssoproof_deployment::traefik::unqualified;
use ssoproof_embedded::dial::Client;
use tempfile::TempDir;
use url::Url;

use super::attach;
use crate::stacks::StackError;

/// The most pages of a list that are read.
const MOST_PAGES: usize = 1_000;
/// The settings of a router that decide which requests it takes and what they pass.
const ROUTER: [&str; 6] = ["entryPoints", "rule", "priority", "middlewares", "service", "tls"];
/// What the API says of a middleware or a service beside its settings.
const SAID: [&str; 8] = ["name", "provider", "type", "status", "error", "usedBy", "using", "serverStatus"];

/// Reads routers, middlewares and services into a folder with one dynamic file, as the file provider would have it.
///
/// # Errors
/// [`StackError::Attach`] with what the API answers.
pub(super) async fn read(client: &Client, api: &Url) -> Result<TempDir, StackError> {
    let mut http = Map::new();
    for kind in ["routers", "middlewares", "services"] {
        let settings = |entry: &Map<String, Value>| -> Map<String, Value> {
            let kept =
                |key: &str| if kind == "routers" { ROUTER.contains(&key) } else { !SAID.contains(&key) };
            entry
                .iter()
                .filter(|(key, _)| kept(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        let entries = list(client, api, kind).await?;
        let named: Map<String, Value> = entries
            .iter()
            .filter_map(Value::as_object)
            .filter_map(|entry| Some((entry["name"].as_str()?, entry)))
            .filter(|(name, _)| !name.ends_with("@internal"))
            // What other providers define keeps its provider.
            .map(|(name, entry)| (unqualified(name).to_owned(), Value::Object(settings(entry))))
            .collect();
        if !named.is_empty() {
            http.insert(kind.to_owned(), Value::Object(named));
        }
    }
    let failed = |error: std::io::Error| attach(format!("failed to keep what Traefik's API says: {error}"));
    let folder = tempfile::Builder::new().prefix("traefik-api-").tempdir().map_err(failed)?;
    let text = serde_json::to_string_pretty(&json!({ "http": http })).unwrap_or_default();
    std::fs::write(folder.path().join("traefik-api.yml"), text).map_err(failed)?;
    Ok(folder)
}

/// Every page of a list: `routers`, `middlewares` or `services`.
///
/// # Errors
/// [`StackError::Attach`] with what the API answers.
pub(crate) async fn list(client: &Client, api: &Url, kind: &str) -> Result<Vec<Value>, StackError> {
    let mut url = api.clone();
    let failed = |url: &Url, reason: String| {
        let mut shown = url.clone();
        let _ = shown.set_password(None);
        attach(format!("Traefik's API does not answer at {shown}: {reason}"))
    };
    url.set_path(&format!("{}/api/http/{kind}", api.path().trim_end_matches('/').trim_end_matches("/api")));
    let (mut entries, mut page) = (Vec::new(), "1".to_owned());
    for _ in 0..MOST_PAGES {
        url.set_query(Some(&format!("per_page=100&page={page}")));
        let mut request = Request::builder().uri(without_credentials(&url).as_str());
        if let Some(password) = url.password() {
            let pair = format!("{}:{password}", url.username());
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            request = request.header(AUTHORIZATION, format!("Basic {encoded}"));
        }
        let request =
            request.body(Full::<Bytes>::default()).map_err(|error| failed(&url, error.to_string()))?;
        let answer = client.send(request).await.map_err(|error| failed(&url, error.to_string()))?;
        let (parts, body) = answer.into_parts();
        if !parts.status.is_success() {
            return Err(failed(&url, format!("it says {}", parts.status)));
        }
        let found: Vec<Value> = serde_json::from_slice(&body)
            .map_err(|_| failed(&url, "what it says is no list; is it the API?".to_owned()))?;
        entries.extend(found);
        match parts.headers.get("x-next-page").and_then(|next| next.to_str().ok()) {
            // After the last page the first one is next.
            Some(next) if next != "1" && !next.is_empty() => page = next.to_owned(),
            _ => break,
        }
    }
    Ok(entries)
}

/// The URL without what stands before `@`.
pub(crate) fn without_credentials(url: &Url) -> Url {
    let mut bare = url.clone();
    // Only a URL without a host refuses these.
    let _ = (bare.set_username(""), bare.set_password(None));
    bare
}
