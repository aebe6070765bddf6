//! One file as a tree of values that know their place.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::source::{Located, Place, Problem, Source};

/// A value and where it stands.
pub(super) type Tree = Located<Node>;

/// A value of YAML or TOML.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Located<String>, Tree)>),
}

impl Node {
    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Number(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(Node::Number(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Number(value.to_string()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                Ok(Node::Text(value.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }

            fn visit_none<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Reads a file: TOML by its ending, YAML otherwise. A file with nothing in it is an empty mapping.
pub(super) fn parse(source: &Source) -> Result<Tree, Problem> {
    if source.path.extension().is_some_and(|extension| extension == "toml") {
        return toml(source);
    }
    let bare = source.text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if bare {
        return Ok(Located::nowhere(Node::Map(Vec::new())));
    }
    source.yaml()
}

fn toml(source: &Source) -> Result<Tree, Problem> {
    let place = |span: std::ops::Range<usize>| {
        let before = source.text.get(..span.start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { line, column, offset: span.start, length: span.len() }
    };
    let table = toml::de::DeTable::parse(&source.text).map_err(|error| {
        let message = error.message().to_owned();
        match error.span() {
            Some(span) => source.problem(place(span), message),
            None => source.problem(Place::default(), message),
        }
    })?;
    let span = table.span();
    Ok(Located { value: table_node(table.into_inner(), &place), place: place(span) })
}

fn table_node(table: toml::de::DeTable<'_>, place: &dyn Fn(std::ops::Range<usize>) -> Place) -> Node {
    Node::Map(
        table
            .into_iter()
            .map(|(key, value)| {
                let key_place = place(key.span());
                let key = Located { value: key.into_inner().into_owned(), place: key_place };
                let value_place = place(value.span());
                (key, Located { value: value_node(value.into_inner(), place), place: value_place })
            })
            .collect(),
    )
}

fn value_node(value: toml::de::DeValue<'_>, place: &dyn Fn(std::ops::Range<usize>) -> Place) -> Node {
    use toml::de::DeValue;
    match value {
        DeValue::String(text) => Node::Text(text.into_owned()),
        DeValue::Integer(number) => Node::Number(number.to_string()),
        DeValue::Float(number) => Node::Number(number.to_string()),
        DeValue::Boolean(flag) => Node::Bool(flag),
        DeValue::Datetime(time) => Node::Text(time.to_string()),
        DeValue::Array(items) => Node::List(
            items
                .into_iter()
                .map(|item| {
                    let item_place = place(item.span());
                    Located { value: value_node(item.into_inner(), place), place: item_place }
                })
                .collect(),
        ),
        DeValue::Table(table) => table_node(table, place),
    }
}
