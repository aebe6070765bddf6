//! A request as it arrived, byte for byte.

use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The method.
    pub method: String,
    /// The request target.
    pub target: String,
    /// The minor version of HTTP/1: 0 or 1.
    pub version: u8,
    /// The header lines: order, case, bytes and repeats kept.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, decoded from chunks.
    pub body: Vec<u8>,
}

impl Arrived {
    /// The first header of this name, in any case, when it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(&found.1).ok()
    }

    /// The value of the cookie `name`, the first one when it is sent twice.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case("cookie"))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The header lines as JSON: pairs of name and value, the value `{"hex": …}` when it is no UTF-8.
    pub(super) fn headers_json(&self) -> Value {
        self.headers
            .iter()
            .map(|(name, value)| match std::str::from_utf8(value) {
                Ok(text) => json!([name, text]),
                Err(_) => {
                    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
                    json!([name, { "hex": hex }])
                }
            })
            .collect()
    }

    /// What a server that folds `_` and `-` makes of the headers, as WSGI and CGI do: `HTTP_X_AUTHENTIK_USERNAME`,
    /// repeats joined by a comma.
    pub(super) fn environ(&self) -> Value {
        let mut environ = serde_json::Map::new();
        for (name, value) in &self.headers {
            let key = format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_"));
            let value = String::from_utf8_lossy(value);
            let joined = match environ.get(&key).and_then(Value::as_str) {
                Some(before) => format!("{before},{value}"),
                None => value.into_owned(),
            };
            environ.insert(key, Value::String(joined));
        }
        Value::Object(environ)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(headers: &[(&str, &[u8])]) -> Arrived {
        Arrived {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            version: 1,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect(),
            body: Vec::new(),
        }
    }

    #[test]
    fn an_underscore_becomes_the_very_header_where_names_are_folded() {
        let arrived = arrived(&[("X-Authentik-Username", b"alice"), ("X_authentik_username", b"evil")]);
        assert_eq!(arrived.environ()["HTTP_X_AUTHENTIK_USERNAME"], "alice,evil");
        assert_eq!(arrived.header("x-authentik-username"), Some("alice"));
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_hex() {
        assert_eq!(arrived(&[("X", b"\xff")]).headers_json(), json!([["X", {"hex": "ff"}]]));
    }

    #[test]
    fn cookies_are_found_in_any_line() {
        let arrived = arrived(&[("cookie", b"a=1; b=2"), ("Cookie", b"c=3=4")]);
        assert_eq!(
            (arrived.cookie("b"), arrived.cookie("c"), arrived.cookie("d")),
            (Some("2"), Some("3=4"), None)
        );
    }
}
