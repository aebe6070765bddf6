//! One provisioned Authentik and a browser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use ssoproof_embedded::authentik::{Authentik, Profile};

use crate::client::{self, Browser};
use crate::gateway::{self, Asked};
use crate::recorded;

/// An Authentik with the recorded users, providers and applications.
pub(crate) struct World {
    pub(crate) authentik: Authentik,
    pub(crate) browser: Browser,
}

impl World {
    /// A provisioned Authentik that behaves as `profile`.
    pub(crate) async fn new(profile: Profile) -> Self {
        Self::of(client::fresh(profile.clone()).await, profile).await
    }

    /// Provisions a fresh Authentik.
    pub(crate) async fn of(authentik: Authentik, profile: Profile) -> Self {
        let authentik = recorded::play::provisioned(authentik, profile).await;
        Self { browser: Browser::new(&authentik), authentik }
    }

    /// A session of alice at `stream`, opened with an app password, and its cookie.
    pub(crate) async fn signed_in_at_stream(&mut self) -> String {
        let token = json!({ "identifier": "app", "intent": "app_password", "user": 5, "expiring": false });
        self.browser.admin("POST", "/api/v3/core/tokens/", token, 201).await;
        let key = self.browser.admin("GET", "/api/v3/core/tokens/app/view_key/", Value::Null, 200).await;
        let basic = STANDARD.encode(format!("alice:{}", key["key"].as_str().unwrap()));
        let headers = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "stream.spacemusic.tv"),
            ("authorization", &format!("Basic {basic}")),
        ];
        let asked = Asked {
            method: "GET".to_owned(),
            url: "http://127.0.0.1/outpost.goauthentik.io/auth/traefik".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: String::new(),
        };
        let response = gateway::direct(&mut self.browser, &asked).await;
        assert_eq!(response.status(), 200);
        client::set_cookies(&response)[0].split(';').next().unwrap().to_owned()
    }
}
