//! A browser in small: one exchange at a time, a cookie jar, nothing followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use ssoproof_embedded::authentik::{Authentik, Profile, Settings};
use ssoproof_embedded::dial::{Client, DialError, Names};
use ssoproof_embedded::logs::Logs;

/// The API token of every test's server.
pub(crate) const TOKEN: &str = "bootstrap-token-real-0123456789";

/// A fresh Authentik.
pub(crate) async fn fresh(profile: Profile) -> Authentik {
    start(profile, None).await
}

/// An Authentik with the state of another.
pub(crate) async fn start(profile: Profile, from: Option<&Authentik>) -> Authentik {
    let settings = Settings {
        bootstrap_token: TOKEN.to_owned(),
        bootstrap_password: "akadmin-Passw0rd!".to_owned(),
        state: from.map(Authentik::state),
        store: None,
        secret_key: Vec::new(),
        profile,
        logs: Logs::default(),
    };
    Authentik::start(settings).await.unwrap()
}

/// A browser at one Authentik.
pub(crate) struct Browser {
    client: Client,
    pub(crate) base: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(authentik: &Authentik) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        Self {
            client: Client::new(Names::default(), Arc::new(tls)),
            base: format!("http://{}", authentik.address()),
            cookies: BTreeMap::new(),
        }
    }

    /// One exchange; cookies are sent and kept.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Bytes> {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    /// The same, when there may be no answer.
    pub(crate) async fn try_send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Response<Bytes>, DialError> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", cookies.join("; "));
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let response = self.client.send(request.body(body).unwrap()).await?;
        for line in set_cookies(&response) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(response)
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response<Bytes> {
        self.send("GET", path, &[], "").await
    }

    /// Posts JSON as the flow page's script does.
    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Response<Bytes> {
        let csrf = self.cookies.get("authentik_csrf").cloned().unwrap_or_default();
        let headers = [("content-type", "application/json"), ("x-authentik-csrf", csrf.as_str())];
        self.send("POST", path, &headers, &body.to_string()).await
    }

    /// Calls the API with the bootstrap token and expects `status`.
    pub(crate) async fn admin(&mut self, method: &str, path: &str, body: Value, status: u16) -> Value {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let kept = std::mem::take(&mut self.cookies);
        let response = self.send(method, path, &headers, &body).await;
        self.cookies = kept;
        assert_eq!(response.status(), status, "{method} {path}: {:?}", response.body());
        serde_json::from_slice(response.body()).unwrap_or_default()
    }

    /// Makes a user with a password and returns its number.
    pub(crate) async fn make_user(&mut self, username: &str) -> u64 {
        let body = json!({
            "username": username, "name": "Some Body", "email": format!("{username}@spacemusic.tv"),
        });
        let pk = self.admin("POST", "/api/v3/core/users/", body, 201).await["pk"].as_u64().unwrap();
        let password = json!({ "password": format!("{username}-Passw0rd!") });
        self.admin("POST", &format!("/api/v3/core/users/{pk}/set_password/"), password, 204).await;
        pk
    }

    /// Goes through the login page as `username` and returns the last challenge.
    pub(crate) async fn log_in(&mut self, username: &str, password: &str) -> Value {
        let path = executor("default-authentication-flow", "next=%2Fif%2Fuser%2F");
        challenge(&self.get(&path).await);
        assert_eq!(self.post(&path, json!({ "uid_field": username })).await.status(), 302);
        let mut response = self.post(&path, json!({ "password": password })).await;
        for _ in 0..5 {
            if response.status() != 302 {
                break;
            }
            response = self.get(&path).await;
        }
        challenge(&response)
    }

    /// The status of `core/users/me/` for this browser: 200 while it is signed in.
    pub(crate) async fn me(&mut self) -> u16 {
        self.get("/api/v3/core/users/me/").await.status().as_u16()
    }
}

/// The executor's URL for a flow page with `query`.
pub(crate) fn executor(flow: &str, query: &str) -> String {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    format!("/api/v3/flows/executor/{flow}/?query={query}")
}

/// The challenge in an answer of 200.
pub(crate) fn challenge(response: &Response<Bytes>) -> Value {
    assert_eq!(response.status(), 200, "{:?}", response.body());
    serde_json::from_slice(response.body()).unwrap()
}

/// A header's value, empty when absent.
pub(crate) fn header<'r>(response: &'r Response<Bytes>, name: &str) -> &'r str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The `Set-Cookie` lines of an answer.
pub(crate) fn set_cookies(response: &Response<Bytes>) -> Vec<&str> {
    response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
}
