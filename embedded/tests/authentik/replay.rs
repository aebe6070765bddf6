//! Recorded exchanges sent again: statuses, errors and the shape of the JSON must be those recorded.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::client::{Browser, header};

/// One exchange of `data/*.json`: a recording without what differs from run to run, such as dates and pictures.
#[derive(Deserialize)]
pub(crate) struct Exchange {
    method: String,
    path: String,
    authorization: Option<String>,
    send: Option<Value>,
    /// A body that is no JSON.
    #[serde(default)]
    raw: String,
    status: u16,
    #[serde(default)]
    allow: String,
    #[serde(default)]
    body: Value,
    /// Whether the body is no measure: the recording lost its end, or it shows what an unrecorded request did.
    #[serde(default)]
    cut: bool,
}

/// Members whose values no two servers share.
const VOLATILE: [&str; 19] = [
    "avatar",
    "capabilities",
    "cert_expiry",
    "client_id",
    "client_secret",
    "date_joined",
    "email",
    "fingerprint_sha1",
    "fingerprint_sha256",
    "golang_version",
    "hostname",
    "last_login",
    "last_seen",
    "last_updated",
    "num_pk",
    "openssl_version",
    "password_change_date",
    "system_permissions",
    "uid",
];

/// Where an answer differs from the recording.
#[derive(Default)]
pub(crate) struct Replay {
    /// Recorded keys and those that stand for them here.
    pub(crate) keys: BTreeMap<String, String>,
    pub(crate) differences: Vec<String>,
    pub(crate) count: usize,
}

impl Replay {
    pub(crate) async fn send(&mut self, browser: &mut Browser, exchange: &Exchange) {
        self.count += 1;
        let path = self.translated(&exchange.path);
        let body = exchange.send.as_ref().map_or_else(|| exchange.raw.clone(), Value::to_string);
        let body = self.translated(&body);
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(exchange.authorization.as_deref().map(|value| ("authorization", value)));
        let response = browser.send(&exchange.method, &path, &headers, &body).await;
        let place = format!("[{}] {} {}", self.count - 1, exchange.method, exchange.path);
        if response.status() != exchange.status {
            self.differ(&place, format!("status {} for {}", response.status(), exchange.status));
        }
        if header(&response, "allow") != exchange.allow {
            self.differ(&place, format!("Allow: {}", header(&response, "allow")));
        }
        let Ok(got) = serde_json::from_slice::<Value>(response.body()) else {
            if !exchange.body.is_null() {
                self.differ(&place, "no JSON".to_owned());
            }
            return;
        };
        if !exchange.cut {
            self.compare(&place, "", &exchange.body, &got);
        }
    }

    /// Text with the recorded keys replaced by those of this server.
    fn translated(&self, text: &str) -> String {
        self.keys.iter().fold(text.to_owned(), |text, (recorded, here)| text.replace(recorded, here))
    }

    fn compare(&mut self, place: &str, member: &str, recorded: &Value, got: &Value) {
        let inside = format!("{place} .{member}");
        match (recorded, got) {
            (Value::Object(recorded), Value::Object(got)) => {
                for (name, value) in recorded {
                    match got.get(name) {
                        Some(found) => self.compare(&inside, name, value, found),
                        None => self.differ(&inside, format!("no `{name}`")),
                    }
                }
                for name in got.keys().filter(|name| !recorded.contains_key(*name)) {
                    self.differ(&inside, format!("unexpected `{name}`"));
                }
            }
            (Value::Array(recorded), Value::Array(got)) if is_set(member) => {
                let mut expected: Vec<_> =
                    recorded.iter().map(|key| self.translated(&key.to_string())).collect();
                let mut found: Vec<_> = got.iter().map(Value::to_string).collect();
                expected.sort();
                found.sort();
                if expected != found {
                    self.differ(&inside, format!("{found:?} for {expected:?}"));
                }
            }
            _ if VOLATILE.contains(&member) => {}
            (Value::Array(recorded), Value::Array(got)) => {
                if recorded.len() != got.len() {
                    self.differ(&inside, format!("{} items for {}", got.len(), recorded.len()));
                }
                for (recorded, got) in recorded.iter().zip(got) {
                    self.compare(&inside, member, recorded, got);
                }
            }
            (Value::String(recorded), Value::String(got)) => {
                if is_key(recorded) && is_key(got) && !self.keys.contains_key(recorded) {
                    self.keys.insert(recorded.clone(), got.clone());
                }
                let expected = self.translated(recorded);
                let parse_error =
                    expected.starts_with("JSON parse error - ") && got.starts_with("JSON parse error - ");
                if expected != *got && !parse_error {
                    self.differ(&inside, format!("{got:?} for {expected:?}"));
                }
            }
            (recorded, got) if recorded != got => self.differ(&inside, format!("{got} for {recorded}")),
            _ => {}
        }
    }

    fn differ(&mut self, place: &str, what: String) {
        self.differences.push(format!("{place}: {what}"));
    }
}

/// Lists of keys that PostgreSQL gives in no order.
fn is_set(member: &str) -> bool {
    member == "property_mappings"
}

fn is_key(text: &str) -> bool {
    text.parse::<Uuid>().is_ok()
}
