//! What a header is expected to be.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use ssoproof_deployment::{Located, Place};

use super::Finding;
use super::expect::differs;
use crate::scenario::{Scope, Template, Text, TextError};
use crate::steps::Parts;

/// A value, or a rule.
#[derive(Clone, Debug)]
pub(super) enum HeaderCheck {
    /// One line with this value.
    Equals(Text),
    /// A rule.
    Rule(Rule),
}

/// What may be said of a header beyond its value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rule {
    /// It is not there (`true`), or there with any value (`false`).
    Absent(bool),
    /// Its value is these names in any order, parted by the deployment's separator.
    Set(Located<Template>),
    /// Its value is these bytes, in hex.
    Bytes(String),
    /// Its lines have these values, in this order.
    Lines(Vec<Located<Text>>),
}

impl<'de> Deserialize<'de> for HeaderCheck {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = HeaderCheck;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a value, or one of `absent`, `set`, `bytes`, `lines`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HeaderCheck, E> {
                Ok(HeaderCheck::Equals(Text::parse(text).map_err(E::custom)?))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HeaderCheck, A::Error> {
                Rule::deserialize(MapAccessDeserializer::new(map)).map(HeaderCheck::Rule)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for HeaderCheck {
    fn schema_name() -> Cow<'static, str> {
        "HeaderCheck".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (text, rule) = (generator.subschema_for::<Text>(), generator.subschema_for::<Rule>());
        json_schema!({ "oneOf": [text, rule] })
    }
}

impl HeaderCheck {
    pub(super) fn parts(&self, place: Place, parts: &mut Parts) {
        match self {
            Self::Equals(text) => parts.text_at(text, place),
            Self::Rule(Rule::Set(set)) => parts.template(set),
            Self::Rule(Rule::Lines(lines)) => parts.texts(lines),
            Self::Rule(_) => {}
        }
    }

    /// What is not as expected of the header `name` whose lines have `values`.
    pub(super) fn look(
        &self,
        name: &str,
        values: &[Vec<u8>],
        place: Place,
        hop: Option<usize>,
        scope: &Scope,
    ) -> Result<Option<Finding>, TextError> {
        let what = format!("header {name}");
        let got = shown(values);
        Ok(match self {
            Self::Equals(text) => {
                let expected = text.string(scope)?;
                let same = matches!(values, [value] if value.as_slice() == expected.as_bytes());
                if same { None } else { differs(what, format!("`{expected}`"), got, place, hop) }
            }
            Self::Rule(Rule::Absent(absent)) => match (absent, values.is_empty()) {
                (true, false) => differs(what, "absent", got, place, hop),
                (false, true) => differs(what, "present", "absent", place, hop),
                _ => None,
            },
            Self::Rule(Rule::Set(set)) => {
                let wanted: BTreeSet<String> = match set.value(scope)? {
                    Value::Array(items) => {
                        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
                    }
                    _ => BTreeSet::new(),
                };
                let separator = scope.lookup(&["headers".into(), "separator".into()])?;
                let separator = separator.as_str().unwrap_or(",");
                let whole = match values {
                    [value] => String::from_utf8_lossy(value).into_owned(),
                    _ => String::new(),
                };
                let there: BTreeSet<String> =
                    whole.split(separator).filter(|item| !item.is_empty()).map(str::to_owned).collect();
                if there == wanted && values.len() == 1 {
                    None
                } else {
                    let wanted: Vec<String> = wanted.into_iter().collect();
                    let wanted = wanted.join(separator);
                    differs(what, format!("the set `{wanted}`, parted by `{separator}`"), got, place, hop)
                }
            }
            Self::Rule(Rule::Bytes(hex)) => {
                let there: String =
                    values.iter().flatten().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join("");
                let hex: String = hex.chars().filter(|c| !c.is_whitespace()).collect();
                differs(what, hex.to_ascii_lowercase(), there, place, hop)
            }
            Self::Rule(Rule::Lines(lines)) => {
                let lines: Vec<Vec<u8>> = lines
                    .iter()
                    .map(|line| line.string(scope).map(String::into_bytes))
                    .collect::<Result<_, _>>()?;
                differs(what, shown(&lines), got, place, hop)
            }
        })
    }
}

/// The lines of a header, for people.
fn shown(values: &[Vec<u8>]) -> String {
    match values {
        [] => "absent".to_owned(),
        [value] if value.is_empty() => "empty".to_owned(),
        values => {
            let lines: Vec<String> =
                values.iter().map(|value| format!("`{}`", String::from_utf8_lossy(value))).collect();
            lines.join(" and ")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn look(rule: HeaderCheck, values: &[&str]) -> Option<Finding> {
        let scope = Scope::new(json!({"headers": {"separator": "|"}, "groups": ["a", "b"]}));
        let values: Vec<Vec<u8>> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        rule.look("x-groups", &values, Place::default(), None, &scope).unwrap()
    }

    fn set() -> HeaderCheck {
        let template: Template = serde_json::from_value(json!("$groups")).unwrap();
        HeaderCheck::Rule(Rule::Set(Located::nowhere(template)))
    }

    #[test]
    fn a_set_has_no_order_but_a_separator() {
        assert_eq!(look(set(), &["b|a"]), None);
        assert_eq!(look(set(), &["a,b"]).unwrap().got, "`a,b`");
        assert!(look(set(), &["a|b", "a|b"]).is_some());
    }

    #[test]
    fn a_value_is_one_line() {
        let equals = || HeaderCheck::Equals(Text::parse("a").unwrap());
        assert_eq!(look(equals(), &["a"]), None);
        assert_eq!(look(equals(), &["a", "a"]).unwrap().got, "`a` and `a`");
        assert_eq!(look(equals(), &[]).unwrap().got, "absent");
    }

    #[test]
    fn bytes_are_compared_as_hex() {
        assert_eq!(look(HeaderCheck::Rule(Rule::Bytes("C3 BC".into())), &["ü"]), None);
        assert_eq!(look(HeaderCheck::Rule(Rule::Bytes("fc".into())), &["ü"]).unwrap().got, "c3bc");
    }

    #[test]
    fn absent_means_no_line() {
        assert_eq!(look(HeaderCheck::Rule(Rule::Absent(true)), &[]), None);
        assert_eq!(look(HeaderCheck::Rule(Rule::Absent(true)), &[""]).unwrap().got, "empty");
        assert!(look(HeaderCheck::Rule(Rule::Absent(false)), &[]).is_some());
    }
}
