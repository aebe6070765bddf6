//! What makes two runs of the same thing read the same: secrets as tokens, values of one run as their kind.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::evidence::{Redactor, typed};

/// Stands between the texts of a record while they are worked on in one go. HTTP has no such byte in what is kept.
const BETWEEN: char = '\0';

#[expect(clippy::expect_used, reason = "the pattern is known to compile")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("pattern")
}

/// A token of the redactor: its number says who came first, its key id which run it was.
static TOKEN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"<([A-Za-z][A-Za-z0-9_.:\-]*)#\d+((?: [A-Z0-9]+)?)(?: kid=[^>]*)?>"));

/// A key id that a message names.
static KEY_ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bkid [A-Za-z0-9_-]{20,}"));

/// An application's slug in the address of one of its endpoints.
static SLUG: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(/application/o/)(?:[^/]+)(/(?:end-session|jwks|\.well-known/openid-configuration)?/?)$")
});

/// `path` with `<…>` for what names one object of many.
pub(super) fn template(path: &str) -> String {
    let plain = ["authorize", "token", "userinfo", "introspect", "revoke", "device"];
    let first = path.strip_prefix("/application/o/").and_then(|rest| rest.split('/').next());
    if first.is_some_and(|first| plain.contains(&first)) {
        return path.to_owned();
    }
    SLUG.replace(path, "$1<app>$2").into_owned()
}

/// `record` without secrets and with the values of one run as their kinds. None when it does not survive the way
/// through JSON, which a record of plain texts does.
pub(super) fn normalised<T: Serialize + DeserializeOwned>(record: &T, redactor: &Redactor) -> Option<T> {
    let value = serde_json::to_value(record).ok()?;
    let mut texts = String::new();
    collect(&value, &mut texts);
    let texts = KEY_ID.replace_all(&redactor.redact(&texts), "kid <key id>").into_owned();
    let texts = typed(&texts);
    let texts = TOKEN.replace_all(&texts, "<$1$2>");
    let mut texts = texts.split(BETWEEN);
    let value = restore(value, &mut texts)?;
    serde_json::from_value(value).ok()
}

fn collect(value: &Value, texts: &mut String) {
    let mut add = |text: &str| {
        texts.extend(text.chars().filter(|char| *char != BETWEEN));
        texts.push(BETWEEN);
    };
    match value {
        Value::String(text) => add(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => {
            for (name, item) in fields {
                texts.extend(name.chars().filter(|char| *char != BETWEEN));
                texts.push(BETWEEN);
                collect(item, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn restore<'a>(value: Value, texts: &mut impl Iterator<Item = &'a str>) -> Option<Value> {
    Some(match value {
        Value::String(_) => Value::String(texts.next()?.to_owned()),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| restore(item, texts)).collect::<Option<_>>()?)
        }
        Value::Object(fields) => {
            let mut restored = serde_json::Map::new();
            for (_, item) in fields {
                let name = texts.next()?.to_owned();
                restored.insert(name, restore(item, texts)?);
            }
            Value::Object(restored)
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_slug_of_an_application_is_no_part_of_the_behaviour() {
        assert_eq!(template("/application/o/stream/end-session/"), "/application/o/<app>/end-session/");
        assert_eq!(template("/application/o/authorize/"), "/application/o/authorize/");
        assert_eq!(template("/docs/o"), "/docs/o");
    }

    #[test]
    fn ids_and_tokens_become_their_kinds() {
        let record = BTreeMap::from([
            ("port", "http://127.0.0.1:4711/"),
            ("state", "a <state#3> and <jwt:id_token#1 RS256 kid=01234567>"),
            ("uuid", "01234567-89ab-cdef-0123-456789abcdef"),
        ])
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect::<BTreeMap<String, String>>();
        let normal = normalised(&record, &Redactor::default()).unwrap();
        assert_eq!(normal["port"], "http://<port>/");
        assert_eq!(normal["state"], "a <state> and <jwt:id_token RS256>");
        assert_eq!(normal["uuid"], "<uuid>");
    }
}
