//! One provisioned Authentik, a browser's cookies, and recorded exchanges sent again in order.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use ssoproof_embedded::authentik::{Authentik, Profile};

use crate::client::{self, Browser};
use crate::compare::Comparison;
use crate::gateway::{self, Asked};
use crate::provisioning;

const PROVISIONING: &str = include_str!("../authentik/data/01-config-api.json");

/// The recorded key of `default-invalidation-flow`, which the provisioning does not show.
const INVALIDATION_FLOW: &str = "0994422b-0e1e-4ea1-b0b4-d4854e87d199";

/// One exchange of `data/*.json`. In a URL, `@` stands for where the last answer led, and `query=@` for the query
/// of the last page; signatures are cut.
#[derive(Deserialize)]
pub(crate) struct Exchange {
    /// Its place in the recording.
    pub(crate) at: usize,
    pub(crate) method: String,
    pub(crate) url: String,
    /// Whether Authentik was asked without the gateway.
    #[serde(default)]
    pub(crate) direct: bool,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    /// The cookies sent; a value is given only for one that no answer has set.
    #[serde(default)]
    pub(crate) cookies: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: String,
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    #[serde(default)]
    pub(crate) set: Vec<String>,
    #[serde(default)]
    pub(crate) response: BTreeMap<String, Vec<String>>,
    /// What the service was told about the user, for a request that passed.
    pub(crate) identity: Option<BTreeMap<String, String>>,
    /// The title of a page, and texts on it.
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) text: Vec<String>,
    pub(crate) json: Option<Value>,
    /// A body that is neither.
    pub(crate) raw: Option<String>,
}

/// An Authentik with the recorded users, providers and applications.
pub(crate) struct World {
    pub(crate) authentik: Authentik,
    pub(crate) browser: Browser,
    pub(crate) seen: Comparison,
    jar: BTreeMap<String, String>,
    /// Where the last answer led, and the query of the last page.
    next: String,
    page_query: String,
}

impl World {
    /// A provisioned Authentik that behaves as `profile`.
    pub(crate) async fn new(profile: Profile) -> Self {
        Self::of(client::fresh(profile).await).await
    }

    /// Provisions a fresh Authentik.
    pub(crate) async fn of(authentik: Authentik) -> Self {
        let mut browser = Browser::new(&authentik);
        let mut replay = provisioning::Replay::default();
        for exchange in serde_json::from_str::<Vec<provisioning::Exchange>>(PROVISIONING).unwrap() {
            replay.send(&mut browser, &exchange).await;
        }
        let path = "/api/v3/flows/instances/?slug=default-invalidation-flow";
        let flows = browser.admin("GET", path, Value::Null, 200).await;
        let mut seen = Comparison { learned: replay.keys, ..Comparison::default() };
        let flow = flows["results"][0]["pk"].as_str().unwrap().to_owned();
        seen.learned.insert(INVALIDATION_FLOW.to_owned(), flow);
        Self {
            authentik,
            browser,
            seen,
            jar: BTreeMap::new(),
            next: String::new(),
            page_query: String::new(),
        }
    }

    /// Sends a recording again and fails with every difference.
    pub(crate) async fn replay(recording: &str) {
        Self::new(Profile::V2026_2).await.replay_here(recording).await;
    }

    /// The same, at this Authentik.
    pub(crate) async fn replay_here(mut self, recording: &str) {
        for exchange in serde_json::from_str::<Vec<Exchange>>(recording).unwrap() {
            self.exchange(&exchange).await;
        }
        assert_eq!(self.seen.differences, Vec::<String>::new());
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

    async fn exchange(&mut self, exchange: &Exchange) {
        let url = match exchange.url.as_str() {
            "@" => self.next.clone(),
            url => self.filled(&self.seen.translated(url)),
        };
        let cookies: Vec<_> = exchange
            .cookies
            .iter()
            .filter_map(|(name, value)| {
                let name = self.seen.translated(name);
                let value = self.jar.get(&name).filter(|_| value.is_empty()).unwrap_or(value);
                (!value.is_empty()).then(|| format!("{name}={value}"))
            })
            .collect();
        let mut headers: Vec<_> =
            exchange.headers.iter().map(|(name, value)| (name.clone(), self.header(value))).collect();
        if !cookies.is_empty() {
            headers.push(("cookie".to_owned(), cookies.join("; ")));
        }
        let asked = Asked {
            method: exchange.method.clone(),
            url: url.split('#').next().unwrap().to_owned(),
            headers,
            body: self.seen.translated(&exchange.body),
        };
        let passed = if exchange.direct {
            gateway::Passed { response: gateway::direct(&mut self.browser, &asked).await, identity: None }
        } else {
            gateway::through(&mut self.browser, &asked).await
        };
        self.keep(&url, &passed.response);
        let place = format!("[{}] {} {}", exchange.at, exchange.method, exchange.url);
        self.seen.compare(&place, exchange, &passed);
    }

    /// A header's value, with what stands for recorded values here; credentials are looked into.
    fn header(&self, value: &str) -> String {
        let Some(encoded) = value.strip_prefix("Basic ") else { return self.seen.translated(value) };
        let text = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.map_or_else(
            || value.to_owned(),
            |text| format!("Basic {}", STANDARD.encode(self.seen.translated(&text))),
        )
    }

    fn filled(&self, url: &str) -> String {
        url.replace("query=@", &format!("query={}", self.page_query))
    }

    /// Keeps an answer's cookies and where it leads.
    fn keep(&mut self, url: &str, response: &Response<Bytes>) {
        for line in client::set_cookies(response) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.jar.insert(name.to_owned(), value.to_owned());
        }
        if let Some((_, query)) = url.split_once("/if/flow/") {
            let query = query.split_once('?').map_or("", |(_, query)| query);
            self.page_query = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        }
        let to = client::header(response, "location").to_owned();
        let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let to = if to.is_empty() { body["to"].as_str().unwrap_or_default().to_owned() } else { to };
        if !to.is_empty() {
            let base: http::Uri = url.parse().unwrap();
            let base = format!("{}://{}", base.scheme_str().unwrap(), base.authority().unwrap());
            self.next = if to.starts_with('/') { format!("{base}{to}") } else { to };
        }
    }
}
