//! A MinIO, its provider, and what was learnt from them so far.

use std::net::SocketAddr;
use std::time::Duration;

use rusty_s3::Credentials;
use serde_json::{Value, json};
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::logs::Logs;
use ssoproof_embedded::minio::policy::PolicyDocument;
use ssoproof_embedded::minio::{ConsoleVariant, Minio, Settings};

use super::client::{put_hello, settings};
use super::data::{Show, Start};
use super::idp::{Idp, jwk};

/// The stage of a recording.
pub(crate) struct Scene {
    pub(crate) minio: Minio,
    pub(crate) logs: Logs,
    names: Names,
    provider: Option<Idp>,
    /// Where the provider listens or listened.
    pub(crate) address: SocketAddr,
    /// The credentials of the last sign-in.
    pub(crate) credentials: Option<Credentials>,
    /// The cookie of the last log-in at the console.
    pub(crate) cookie: String,
    /// Where the console last sent the browser.
    pub(crate) redirect: Option<url::Url>,
}

impl Scene {
    /// Starts both.
    pub(crate) async fn new(start: &Start) -> Self {
        let names = Names::default();
        let idp = Idp::start(&names).await;
        if let Some(keys) = &start.keys {
            idp.show_keys(keys.iter().map(key).collect());
        }
        if let Some(jwks) = &start.jwks {
            idp.show("jwks", 200, written(jwks));
        }
        for shown in &start.shown {
            show(&idp, shown);
        }
        let address = idp.address;
        let provider = if start.provider == "down" {
            down(idp).await;
            None
        } else {
            Some(idp)
        };
        let mut settings = settings(&names);
        configure(&mut settings, start);
        let logs = settings.logs.clone();
        let minio = Minio::start(settings).await.unwrap();
        minio.initialise().await;
        if start.buckets.iter().any(|bucket| bucket == "data-bkt") {
            put_hello(&minio).await;
        }
        let (credentials, cookie, redirect) = (None, String::new(), None);
        let scene = Self { minio, logs, names, provider, address, credentials, cookie, redirect };
        scene.seen();
        scene
    }

    /// What the provider saw since the last call.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.provider.as_ref().map(Idp::seen).unwrap_or_default()
    }

    /// Sets an answer of the provider.
    pub(crate) fn show(&self, shown: &Show) {
        show(self.provider.as_ref().expect("the provider is up"), shown);
    }

    /// Lets the token endpoint give `id_token`.
    pub(crate) fn give(&self, id_token: &str) {
        let tokens =
            json!({ "access_token": "at", "token_type": "Bearer", "expires_in": 3600, "id_token": id_token });
        self.provider.as_ref().expect("the provider is up").show("token", 200, tokens);
    }

    /// Takes the provider down or puts a new one up.
    pub(crate) async fn provider(&mut self, to: &str) {
        if let Some(idp) = self.provider.take() {
            down(idp).await;
        }
        if to == "up" {
            let idp = Idp::start(&self.names).await;
            self.address = idp.address;
            self.provider = Some(idp);
            self.minio.initialise().await;
            self.seen();
        }
    }

    /// Starts MinIO again.
    pub(crate) async fn restart(&self) {
        self.minio.restart();
        self.minio.initialise().await;
        self.seen();
    }
}

/// Takes a provider down and waits until nobody listens.
async fn down(idp: Idp) {
    let address = idp.address;
    drop(idp);
    let gone = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("a provider that went away is gone");
}

fn show(idp: &Idp, shown: &Show) {
    let part = match shown.part.as_str() {
        "discovery" => "discovery",
        "jwks" => "jwks",
        "userinfo" => "userinfo",
        other => panic!("the provider has no `{other}`"),
    };
    idp.show(part, shown.status, written(&shown.body));
}

/// A JWKS with its keys written out.
fn written(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(keys) = body.get_mut("keys").and_then(Value::as_array_mut) {
        for each in keys {
            *each = key(each);
        }
    }
    body
}

/// A key with its numbers: all of them for `<key>`, else those in places such as `<n k1>`.
fn key(shape: &Value) -> Value {
    let mut shape = shape.as_object().expect("a key is an object").clone();
    if let Some(name) = shape.remove("<key>") {
        let mut key = jwk(name.as_str().unwrap(), "");
        key.as_object_mut().unwrap().extend(shape);
        return key;
    }
    for value in shape.values_mut() {
        let place = value.as_str().and_then(|text| text.strip_prefix('<')?.split_once('>'));
        if let Some((place, after)) = place.map(|(place, after)| (place.to_owned(), after.to_owned())) {
            let (number, name) = place.split_once(' ').unwrap();
            *value = format!("{}{after}", jwk(name, "")[number].as_str().unwrap()).into();
        }
    }
    shape.into()
}

fn configure(settings: &mut Settings, start: &Start) {
    let openid = &mut settings.openid;
    for (name, value) in &start.openid {
        let text = value.as_str().unwrap_or_default().to_owned();
        match name.as_str() {
            "config_url" => openid.config_url = text,
            "client_id" => openid.client_id = text,
            "client_secret" => openid.client_secret = text,
            "claim_name" => openid.claim_name = text,
            "scopes" => openid.scopes = text,
            "claim_userinfo" => openid.claim_userinfo = *value == true,
            "role_policy" => openid.role_policy = Some(text),
            "redirect_uri" => openid.redirect_uri = Some(text),
            "display_name" => openid.display_name = text,
            other => panic!("no setting `{other}`"),
        }
    }
    settings.buckets.clone_from(&start.buckets);
    for (name, document) in &start.policies {
        settings.policies.insert(name.clone(), policy(document));
    }
    settings.console =
        if start.console == "without_sso" { ConsoleVariant::WithoutSso } else { ConsoleVariant::Sso };
}

/// A policy from its document.
pub(crate) fn policy(document: &Value) -> PolicyDocument {
    PolicyDocument::parse(&document.to_string()).unwrap()
}
