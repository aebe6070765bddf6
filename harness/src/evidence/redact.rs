//! Secrets as stable tokens: the same value is the same token all through a case.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

use super::jwt::jwt_part;
use super::ledger::{Hop, Ledger};
use crate::stacks::Secrets;

/// Names of parameters and JSON fields whose values are secrets or tickets.
const NAMES: [&str; 22] = [
    "state",
    "nonce",
    "code",
    "code_challenge",
    "code_verifier",
    "id_token",
    "id_token_hint",
    "access_token",
    "refresh_token",
    "client_secret",
    "password",
    "key",
    "token",
    "sid",
    "csrf",
    "webidentitytoken",
    "x-amz-signature",
    "x-amz-security-token",
    "accesskeyid",
    "secretaccesskey",
    "sessiontoken",
    "x-authentik-jwt",
];

/// The shortest value that is taken for a secret: shorter ones are words.
const SHORTEST: usize = 8;

/// How deep URLs inside URLs are looked into.
const DEPTH: usize = 6;

/// Replaces the secrets of one case by tokens such as `<state#1>`.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// Secret → token, longest secret first when applied.
    tokens: Vec<(String, String)>,
}

#[derive(Default)]
struct Learned {
    tokens: BTreeMap<String, String>,
    counts: BTreeMap<String, usize>,
}

impl Redactor {
    /// A redactor that knows the stack's secrets and everything secret in the hops: cookie values, codes, states,
    /// tokens, credentials.
    pub fn new(ledger: &Ledger, secrets: &Secrets) -> Self {
        let mut learned = Learned::default();
        learned.add("admin-token", secrets.admin_token.expose_secret());
        learned.name(secrets.grafana_admin.expose_secret(), "<password of Grafana's admin>".to_owned());
        learned.name(secrets.minio_root.expose_secret(), "<password of MinIO's root>".to_owned());
        for (persona, password) in &secrets.passwords {
            learned.name(password.expose_secret(), format!("<password of {persona}>"));
        }
        for (client, secret) in &secrets.client_secrets {
            learned.name(secret.expose_secret(), format!("<client secret of {client}>"));
        }
        for hop in &ledger.hops {
            learned.hop(hop);
        }
        let mut tokens: Vec<(String, String)> = learned.tokens.into_iter().collect();
        tokens.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        Self { tokens }
    }

    /// `text` without secrets.
    pub fn redact(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (secret, token) in &self.tokens {
            if out.contains(secret.as_str()) {
                out = out.replace(secret.as_str(), token);
            }
        }
        out
    }

    /// A JSON value without secrets in its texts.
    pub fn redact_json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redact(text)),
            Value::Array(items) => items.iter().map(|item| self.redact_json(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(key, item)| (self.redact(key), self.redact_json(item))).collect()
            }
            other => other.clone(),
        }
    }
}

impl Learned {
    /// Gives `secret` the token `token`, in every way it may be written in a URL.
    fn name(&mut self, secret: &str, token: String) {
        if secret.len() < SHORTEST {
            return;
        }
        let mut written = secret.to_owned();
        for _ in 0..3 {
            self.tokens.entry(written.clone()).or_insert_with(|| token.clone());
            let encoded = utf8_percent_encode(&written, NON_ALPHANUMERIC).to_string();
            let url_safe: String = url::form_urlencoded::byte_serialize(written.as_bytes()).collect();
            self.tokens.entry(url_safe.clone()).or_insert_with(|| token.clone());
            if encoded == written {
                break;
            }
            self.tokens.entry(encoded).or_insert_with(|| token.clone());
            written = url_safe;
        }
    }

    fn add(&mut self, kind: &str, secret: &str) {
        if secret.len() < SHORTEST || self.tokens.contains_key(secret) {
            return;
        }
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        let token = match jwt_header(secret) {
            Some(header) => {
                let alg = header["alg"].as_str().unwrap_or("?");
                let kid = header["kid"].as_str().map(|kid| format!(" kid={}", kid.get(..8).unwrap_or(kid)));
                format!("<jwt:{kind}#{count} {alg}{}>", kid.unwrap_or_default())
            }
            None => format!("<{kind}#{count}>"),
        };
        self.name(secret, token);
    }

    fn hop(&mut self, hop: &Hop) {
        self.url(&hop.request.url, 0);
        for (name, value) in hop.request.cookies() {
            self.add(&format!("cookie:{name}"), value);
        }
        if let Some(value) = hop.request.header("authorization") {
            self.add("authorization", value.split_once(' ').map_or(value, |(_, credentials)| credentials));
        }
        self.body(&hop.request.body);
        for change in &hop.jar {
            self.add(&format!("cookie:{}", change.name), &change.value);
        }
        let Some(response) = hop.response() else { return };
        if let Some(target) = hop.redirect_target() {
            self.url(&target, 0);
        }
        for (name, value) in &response.headers {
            let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
            if is_secret(&name) {
                self.add(&name.to_ascii_lowercase(), &value);
            }
            if name.eq_ignore_ascii_case("set-cookie")
                && let Some((cookie, rest)) = value.split_once('=')
            {
                let value = rest.split(';').next().unwrap_or_default();
                self.add(&format!("cookie:{}", cookie.trim()), value.trim_matches('"'));
            }
        }
        self.body(&response.body);
    }

    fn url(&mut self, url: &Url, depth: usize) {
        if let Some(query) = url.query() {
            self.form(query, depth);
        }
        if let Some(fragment) = url.fragment() {
            self.form(fragment, depth);
        }
    }

    fn form(&mut self, text: &str, depth: usize) {
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            self.field(&name, &value, depth);
        }
    }

    fn field(&mut self, name: &str, value: &str, depth: usize) {
        if is_secret(name) || jwt_header(value).is_some() {
            self.add(&name.to_ascii_lowercase(), value);
            return;
        }
        if depth >= DEPTH {
            return;
        }
        if let Ok(url) = Url::parse(value) {
            self.url(&url, depth + 1);
        } else if let Some((_, query)) = value.split_once('?') {
            self.form(query, depth + 1);
        } else if name == "query" {
            self.form(value, depth + 1);
        }
    }

    fn body(&mut self, body: &[u8]) {
        let Ok(text) = std::str::from_utf8(body) else { return };
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            self.json("", &value);
        } else if text.starts_with('<') {
            self.markup(text);
        } else if text.contains('=') && !text.contains(['<', '\n']) {
            self.form(text, 0);
        }
    }

    fn json(&mut self, name: &str, value: &Value) {
        match value {
            Value::String(text) => self.field(name, text, 0),
            Value::Array(items) => items.iter().for_each(|item| self.json(name, item)),
            Value::Object(fields) => fields.iter().for_each(|(key, item)| self.json(key, item)),
            _ => {}
        }
    }

    /// The elements of XML answers of the STS, JWTs anywhere, and reports of services in pages.
    fn markup(&mut self, text: &str) {
        for name in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
            let inner = text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once('<'));
            if let Some((value, _)) = inner {
                self.add(&name.to_ascii_lowercase(), value);
            }
        }
        let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        for word in text.split(|c| !is_token(c)) {
            if jwt_header(word).is_some() {
                self.add("token", word);
            }
        }
    }
}

fn is_secret(name: &str) -> bool {
    NAMES.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// The header of a compact JWT.
fn jwt_header(text: &str) -> Option<Value> {
    let compact = text.starts_with("eyJ") && text.split('.').count() == 3;
    jwt_part(text, 0).filter(|_| compact)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::evidence::{Cause, RequestRecord, ResponseRecord};

    fn secrets() -> Secrets {
        Secrets {
            admin_token: "admin-token-of-the-stack".to_owned().into(),
            passwords: BTreeMap::from([("studio".to_owned(), "pässword of bob".to_owned().into())]),
            client_secrets: BTreeMap::new(),
            grafana_admin: "password of grafana's admin".to_owned().into(),
            minio_root: "password of minio's root".to_owned().into(),
        }
    }

    /// A hop that carries `secret` as a cookie, as `state` inside `next`, in a header and in a JSON body.
    fn ledger(secret: &str) -> Ledger {
        let mut inner = Url::parse("https://a.test/authorize").unwrap();
        inner.query_pairs_mut().append_pair("state", secret);
        let mut url = Url::parse("https://b.test/login").unwrap();
        url.query_pairs_mut().append_pair("next", inner.as_str());
        let mut ledger = Ledger::default();
        ledger.push(Hop {
            index: 0,
            cause: Cause::Start,
            actor: "user".to_owned(),
            request: RequestRecord {
                method: "GET".to_owned(),
                url,
                target: None,
                headers: vec![(b"Authorization".to_vec(), format!("Bearer {secret}x").into_bytes())],
                body: Vec::new(),
            },
            outcome: Ok(ResponseRecord {
                status: 200,
                headers: vec![(b"Set-Cookie".to_vec(), format!("sid={secret}y; Path=/").into_bytes())],
                body: serde_json::json!({ "access_token": format!("{secret}z") }).to_string().into(),
                body_cut: false,
            }),
            jar: Vec::new(),
            took: Duration::ZERO,
        });
        ledger
    }

    #[test]
    fn passwords_and_the_admin_token_have_names() {
        let redactor = Redactor::new(&Ledger::default(), &secrets());
        let text = redactor.redact("p=p%C3%A4ssword+of+bob&t=admin-token-of-the-stack");
        assert_eq!(text, "p=<password of studio>&t=<admin-token#1>");
    }

    proptest! {
        #[test]
        fn nothing_secret_is_left(secret in "[A-Za-z0-9._~+/=-]{12,40}") {
            let ledger = ledger(&secret);
            let redactor = Redactor::new(&ledger, &secrets());
            let hop = &ledger.hops[0];
            let shown = [
                hop.request.url.to_string(),
                String::from_utf8_lossy(&hop.request.headers[0].1).into_owned(),
                String::from_utf8_lossy(&hop.response().unwrap().headers[0].1).into_owned(),
                hop.response().unwrap().text(),
            ]
            .join("\n");
            let redacted = redactor.redact(&shown);
            let once: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let twice: String = url::form_urlencoded::byte_serialize(once.as_bytes()).collect();
            for written in [&secret, &once, &twice] {
                prop_assert!(!redacted.contains(written.as_str()), "{redacted}");
            }
        }
    }
}
