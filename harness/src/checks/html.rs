//! `html`: what the page holds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use ssoproof_deployment::{Located, Place};

use super::expect::{Check, CheckFuture, differs};
use crate::scenario::Text;
use crate::steps::{Parts, Seen, StepError, World};

/// What elements hold, by CSS selector.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Html(BTreeMap<String, Located<Element>>);

/// The text of the first element, or a rule.
#[derive(Clone, Debug)]
enum Element {
    Text(Text),
    Rule(Rule),
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Rule {
    /// How many elements there are.
    Count(usize),
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Element;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("the element's text, or `count`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Element, E> {
                Ok(Element::Text(Text::parse(text).map_err(E::custom)?))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Element, A::Error> {
                Rule::deserialize(MapAccessDeserializer::new(map)).map(Element::Rule)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for Element {
    fn schema_name() -> Cow<'static, str> {
        "Element".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (text, rule) = (generator.subschema_for::<Text>(), generator.subschema_for::<Rule>());
        json_schema!({ "oneOf": [text, rule] })
    }
}

impl Check for Html {
    fn parts(&self, _: Place, parts: &mut Parts) {
        for element in self.0.values() {
            if let Element::Text(text) = &element.value {
                parts.text_at(text, element.place);
            }
        }
    }

    fn run<'a>(&'a self, _: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let hop = seen.resting(&world.ledger);
            let index = hop.map(|hop| hop.index);
            let html = hop.and_then(|hop| hop.response()).map(|response| response.text()).unwrap_or_default();
            let mut findings = Vec::new();
            for (selector, wanted) in &self.0 {
                let texts = texts(&html, selector)?;
                findings.extend(match &wanted.value {
                    Element::Text(text) => {
                        let got = texts.first().cloned().unwrap_or_else(|| "no such element".to_owned());
                        differs(selector, text.string(&world.scope)?, got, wanted.place, index)
                    }
                    Element::Rule(Rule::Count(count)) => {
                        differs(format!("count of {selector}"), count, texts.len(), wanted.place, index)
                    }
                });
            }
            Ok(findings)
        })
    }
}

/// The trimmed texts of the elements that `selector` matches.
fn texts(html: &str, selector: &str) -> Result<Vec<String>, StepError> {
    let parsed = scraper::Selector::parse(selector)
        .map_err(|_| StepError::Broken(format!("`{selector}` is no CSS selector")))?;
    let page = scraper::Html::parse_document(html);
    Ok(page.select(&parsed).map(|element| element.text().collect::<String>().trim().to_owned()).collect())
}
