//! Reading a mapping's fields as types, with the rules and the error texts of Traefik's file provider.

use super::tree::{Node, Value};
use crate::source::{Located, Place, Problem, Source};

/// The fields of one mapping. Names are compared without case; `null` is as good as absent.
pub(super) struct Fields<'a> {
    source: &'a Source,
    entries: Vec<(&'a Located<String>, &'a Node)>,
}

/// A located list of located texts.
type Texts = Located<Vec<Located<String>>>;

impl<'a> Fields<'a> {
    /// The fields of `node`, which may be empty or no mapping at all.
    pub(super) fn lenient(source: &'a Source, node: &'a Node) -> Self {
        let entries = match &node.value {
            Value::Map(entries) => entries
                .iter()
                .filter(|(_, value)| !matches!(value.value, Value::Null))
                .map(|(name, value)| (name, value))
                .collect(),
            _ => Vec::new(),
        };
        Self { source, entries }
    }

    /// The fields of `node`, the value of `name`, of which there must be one; `kind` is what Traefik's text calls
    /// its type.
    ///
    /// # Errors
    /// `… cannot be a standalone element (type …)`.
    pub(super) fn new(source: &'a Source, name: &str, kind: &str, node: &'a Node) -> Result<Self, Problem> {
        let fields = Self::lenient(source, node);
        if fields.entries.is_empty() {
            let message = format!("{name} cannot be a standalone element (type {kind})");
            return Err(source.problem(node.place, message));
        }
        Ok(fields)
    }

    /// The fields of a value of this mapping; see [`Fields::new`].
    pub(super) fn nested(&self, name: &str, kind: &str, node: &'a Node) -> Result<Self, Problem> {
        Self::new(self.source, name, kind, node)
    }

    /// The names and values that were not taken yet, in the order of the file.
    pub(super) fn rest(self) -> impl Iterator<Item = (&'a Located<String>, &'a Node)> {
        self.entries.into_iter()
    }

    /// Takes the field `name`.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a Node> {
        let index = self.entries.iter().position(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(self.entries.remove(index).1)
    }

    /// Takes every field of `names`; returns the names of those that were there, as written in `names`.
    pub(super) fn skip(&mut self, names: &[&'static str]) -> Vec<(&'static str, Place)> {
        names.iter().filter_map(|name| Some((*name, self.take(name)?.place))).collect()
    }

    /// Takes a text.
    ///
    /// # Errors
    /// `invalid node …: string` for a mapping.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<Located<String>>, Problem> {
        let Some(node) = self.take(name) else { return Ok(None) };
        self.as_text(name, node).map(Some)
    }

    /// Takes a text without its place, empty when it is not there.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub(super) fn plain(&mut self, name: &str) -> Result<String, Problem> {
        Ok(self.text(name)?.map(|text| text.value).unwrap_or_default())
    }

    fn as_text(&self, name: &str, node: &Node) -> Result<Located<String>, Problem> {
        match scalar(node) {
            Some(value) => Ok(Located { value, place: node.place }),
            None => Err(self.source.problem(node.place, format!("invalid node {name}: string"))),
        }
    }

    /// Takes a truth value, as Go's `strconv.ParseBool` reads it.
    ///
    /// # Errors
    /// `strconv.ParseBool: parsing "yes": invalid syntax`.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Some(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Some(false)),
            other => {
                let message = format!("strconv.ParseBool: parsing \"{other}\": invalid syntax");
                Err(self.source.problem(text.place, message))
            }
        }
    }

    /// Takes a whole number, as Go's `strconv.ParseInt` reads it.
    ///
    /// # Errors
    /// `strconv.ParseInt: parsing "abc": invalid syntax`, or `value out of range`.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<i64>, Problem> {
        use std::num::IntErrorKind::{NegOverflow, PosOverflow};
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error: std::num::ParseIntError| {
            let reason = match error.kind() {
                PosOverflow | NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            self.source.problem(text.place, format!("strconv.ParseInt: parsing \"{}\": {reason}", *text))
        })
    }

    /// Takes a list of texts; one text is split at its commas, as Traefik does
    /// (`truth/traefik/3.6.7-5-config`: `middlewares_string_not_list`).
    ///
    /// # Errors
    /// When an item is no text.
    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Texts>, Problem> {
        let Some(node) = self.take(name) else { return Ok(None) };
        let value = match &node.value {
            Value::List(items) => items
                .iter()
                .filter(|item| !matches!(item.value, Value::Null))
                .map(|item| self.as_text(name, item))
                .collect::<Result<_, _>>()?,
            Value::Text(text) if text.is_empty() => Vec::new(),
            Value::Text(text) => text
                .split(',')
                .map(|item| Located { value: item.trim().to_owned(), place: node.place })
                .collect(),
            Value::Map(_) | Value::Null => Vec::new(),
        };
        Ok(Some(Located { value, place: node.place }))
    }

    /// Takes a list of texts without their places, empty when it is not there.
    ///
    /// # Errors
    /// As [`Fields::texts`].
    pub(super) fn plain_list(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        let texts = self.texts(name)?.map(|texts| texts.value).unwrap_or_default();
        Ok(texts.into_iter().map(|text| text.value).collect())
    }

    /// Takes a mapping of texts.
    ///
    /// # Errors
    /// When it is empty or a value is no text.
    pub(super) fn pairs(&mut self, name: &str) -> Result<Vec<(String, String)>, Problem> {
        let Some(node) = self.take(name) else { return Ok(Vec::new()) };
        Self::new(self.source, name, "map[string]string", node)?
            .rest()
            .map(|(key, value)| Ok((key.value.clone(), self.as_text(key, value)?.value)))
            .collect()
    }

    /// Takes a list of mappings.
    pub(super) fn items(&mut self, name: &str) -> Vec<&'a Node> {
        match self.take(name).map(|node| &node.value) {
            Some(Value::List(items)) => items.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `field not found, node: …` for the first field that nothing took.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.entries.first() {
            None => Ok(()),
            Some((name, _)) => {
                Err(self.source.problem(name.place, format!("field not found, node: {}", name.value)))
            }
        }
    }
}

/// The text of a scalar, or the text Traefik makes of a list where it wants a text.
fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(scalar).collect();
            Some(format!("║24║{}", items?.join("║")))
        }
        Value::Null => Some(String::new()),
        Value::Map(_) => None,
    }
}
