//! A request as it arrived, byte for byte, and its report as JSON.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::digest::hex;

/// A request that reached a probe. Header names keep their case, order and duplicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The method as sent.
    pub method: String,
    /// The request target as sent.
    pub target: String,
    /// The minor version of HTTP/1.
    pub version: u8,
    /// Every header line; values without the white space around them.
    pub headers: Vec<(String, Bytes)>,
    /// The length of the body without its chunk framing, in bytes.
    pub body_length: usize,
    /// Whom the bridge takes for the user; `None` without one.
    pub user: Option<User>,
}

/// Whom the bridge takes for the user: SvelteKit's `locals.user`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// The user name, as JavaScript has it.
    pub username: String,
    /// The email address, when known.
    pub email: Option<String>,
    /// The display name, when known.
    pub name: Option<String>,
    /// Where the bridge took it from.
    pub source: UserSource,
}

/// Where an identity came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UserSource {
    /// From the `X-authentik-*` headers.
    Header,
    /// From the bridge's cookies.
    Cookie,
}

/// The headers of a request as services see them that fold names.
pub(super) struct Folds {
    /// The WSGI environment: `_` and `-` are one.
    pub(super) environ: Map<String, Value>,
    /// Every value by folded name: `.` is one with them too.
    pub(super) folded: Map<String, Value>,
}

impl Arrived {
    /// The values of every header `name` (any case), in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let same = move |(key, _): &&(String, Bytes)| key.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_ref())
    }

    /// The first header `name` (any case) as text: UTF-8, or else each byte as one letter.
    pub fn header(&self, name: &str) -> Option<String> {
        self.values(name).next().map(text)
    }

    /// Whether `Accept` asks for HTML.
    pub(super) fn wants_html(&self) -> bool {
        self.values("accept").any(|value| text(value).to_ascii_lowercase().contains("text/html"))
    }

    /// Whether a comma-separated header `name` lists `token` (both in any case).
    pub(super) fn lists(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .any(|value| text(value).split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
    }

    /// The cookies, undecoded, in order.
    pub(super) fn cookies(&self) -> Vec<(String, String)> {
        let lines: Vec<String> = self.values("cookie").map(text).collect();
        lines
            .iter()
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect()
    }

    /// The report. `headers_hex` holds the bytes of values that are not UTF-8.
    pub(super) fn report(&self, service: &str, hits: u64, folds: Option<&Folds>) -> Value {
        let headers: Vec<(&str, String)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
        let odd = |(name, value): &(String, Bytes)| {
            std::str::from_utf8(value).is_err().then(|| (name.clone(), hex(value)))
        };
        let odd: Vec<(String, String)> = self.headers.iter().filter_map(odd).collect();
        let mut report = json!({
            "service": service,
            "hit": hits,
            "method": self.method,
            "target": self.target,
            "version": format!("HTTP/1.{}", self.version),
            "headers": headers,
            "headers_hex": odd,
            "cookies": self.cookies(),
            "body_length": self.body_length,
            "user": self.user,
        });
        if let Some(Folds { environ, folded }) = folds {
            report["environ"] = Value::Object(environ.clone());
            report["folded"] = Value::Object(folded.clone());
        }
        report
    }
}

/// Bytes as text: UTF-8, or else Latin-1.
pub(super) fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), str::to_owned)
}

/// Each byte as one letter, as Node and WSGI read headers.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_no_utf8_are_marked() {
        let arrived = Arrived {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            version: 1,
            headers: vec![
                ("X-Name".to_owned(), Bytes::from_static("Zoë".as_bytes())),
                ("x-NAME".to_owned(), Bytes::from_static(b"Zo\xeb")),
                ("Cookie".to_owned(), Bytes::from_static(b"a=1; b = 2; c")),
            ],
            body_length: 0,
            user: None,
        };
        let report = arrived.report("docs", 3, None);
        assert_eq!(report["headers"][0], json!(["X-Name", "Zoë"]));
        assert_eq!(report["headers"][1], json!(["x-NAME", "Zoë"]));
        assert_eq!(report["headers_hex"], json!([["x-NAME", "5a6feb"]]));
        assert_eq!(report["cookies"], json!([["a", "1"], ["b", "2"]]));
        assert_eq!(arrived.values("X-name").count(), 2);
    }
}
