//! A dynamic file as a tree: mappings, lists and texts, each with its place.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::de::{DeTable, DeValue};

use crate::source::{Located, Place, Problem, Source};

/// A value of a file and where it stands.
pub type Node = Located<Value>;

/// What a value is. Scalars are kept as the text Traefik makes of them before it reads them as a type.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`: as if it was not written.
    Null,
    /// A scalar.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(Located<String>, Node)>),
}

/// Reads `source` as the format its name says: TOML for `.toml`, else YAML.
///
/// # Errors
/// A [`Problem`] at the first place that is neither, or a key written twice.
pub fn parse(source: &Source) -> Result<Node, Problem> {
    if source.path.extension().is_some_and(|extension| extension == "toml") {
        return toml_tree(source);
    }
    let blank = |line: &str| matches!(line.trim_start().as_bytes().first(), None | Some(b'#'));
    if source.text.lines().all(blank) {
        return Ok(Located { value: Value::Null, place: Place::default() });
    }
    // Traefik's YAML library keeps `yes` and `1_000` as texts.
    let options = serde_saphyr::options! { strict_booleans: true, underscored_numbers_as_strings: true };
    source.yaml_prefix(first_document(&source.text), options)
}

/// The text up to the mark that ends the first document; Traefik reads no further.
fn first_document(text: &str) -> &str {
    let (mut at, mut begun) = (0, false);
    for line in text.split_inclusive('\n') {
        let marks = |mark: &str| {
            line.strip_prefix(mark).is_some_and(|rest| rest.trim().is_empty() || rest.starts_with(' '))
        };
        if begun && (marks("---") || marks("...")) {
            break;
        }
        begun |= !matches!(line.trim_start().as_bytes().first(), None | Some(b'#' | b'%'));
        at += line.len();
    }
    &text[..at]
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Text(float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}

/// A float as Traefik hands it on: `1.5` becomes `1.500000`.
fn float(value: f64) -> String {
    format!("{value:.6}")
}

fn toml_tree(source: &Source) -> Result<Node, Problem> {
    let places = Places::new(&source.text);
    let table = DeTable::parse(&source.text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        source.problem(places.place(span), error.message())
    })?;
    let span = table.span();
    Ok(Located { value: toml_map(&places, table.get_ref()), place: places.place(span) })
}

fn toml_map(places: &Places<'_>, table: &DeTable<'_>) -> Value {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let name = Located { value: key.get_ref().to_string(), place: places.place(key.span()) };
            let place = places.place(value.span());
            (name, Located { value: toml_value(places, value.get_ref()), place })
        })
        .collect();
    entries.sort_by_key(|(name, _)| name.place.offset);
    Value::Map(entries)
}

fn toml_value(places: &Places<'_>, value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => Value::Text(
            i64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
                .map_or_else(|_| number.to_string(), |number| number.to_string()),
        ),
        DeValue::Float(number) => {
            Value::Text(number.as_str().parse().map_or_else(|_| number.to_string(), float))
        }
        DeValue::Boolean(value) => Value::Text(value.to_string()),
        DeValue::Datetime(value) => Value::Text(value.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Located {
                    value: toml_value(places, item.get_ref()),
                    place: places.place(item.span()),
                })
                .collect(),
        ),
        DeValue::Table(table) => toml_map(places, table),
    }
}

/// The longest line whose columns are counted in characters, in bytes.
const LONGEST_LINE: usize = 1 << 14;

/// A text that is asked for many places.
struct Places<'a> {
    text: &'a str,
    /// Where each line starts.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        let after = text.match_indices('\n').map(|(index, _)| index + 1);
        Self { text, lines: std::iter::once(0).chain(after).collect() }
    }

    /// The place of a byte range. Far out on a long line columns are counted in bytes, so that a large file on one
    /// line costs no more than others.
    fn place(&self, span: Range<usize>) -> Place {
        let line = self.lines.partition_point(|start| *start <= span.start);
        let before = self.text.get(self.lines[line - 1]..span.start).unwrap_or_default();
        let column = if before.len() > LONGEST_LINE { before.len() } else { before.chars().count() } + 1;
        Place { line, column, offset: span.start, length: span.len() }
    }
}

/// The place of a byte range.
pub(super) fn place(source: &Source, span: Range<usize>) -> Place {
    Places::new(&source.text).place(span)
}

#[cfg(test)]
mod tests {
    use super::{Value, parse};
    use crate::source::Source;

    #[test]
    fn values_keep_their_place_in_yaml_and_toml() {
        for (name, text, line, column) in [
            ("a.yml", "http:\n  routers:\n    app: {rule: x}\n", 3, 17),
            ("a.toml", "[http.routers]\n\napp.rule = \"x\"\n", 3, 12),
        ] {
            let mut node = parse(&Source::inline(name, text)).unwrap();
            for key in ["http", "routers", "app", "rule"] {
                let Value::Map(entries) = node.value else { panic!("{node:?}") };
                let (found, value) = entries.into_iter().next().unwrap();
                assert_eq!(found.value, key);
                node = value;
            }
            assert!(matches!(&node.value, Value::Text(text) if text == "x"), "{node:?}");
            assert_eq!((node.place.line, node.place.column), (line, column), "{name}");
        }
    }

    #[test]
    fn scalars_are_the_text_traefik_makes_of_them() {
        let node = parse(&Source::inline("a.yml", "[true, yes, 1, 1.5, x, \"1\", ~]")).unwrap();
        let Value::List(items) = node.value else { panic!() };
        let texts: Vec<_> = items
            .into_iter()
            .map(|item| match item.value {
                Value::Text(text) => text,
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(texts, ["true", "yes", "1", "1.500000", "x", "1", "Null"]);
    }

    #[test]
    fn a_key_written_twice_is_refused_where_it_stands() {
        let problem = parse(&Source::inline("a.yml", "http:\n  a: 1\n  a: 2\n")).unwrap_err();
        assert_eq!(problem.to_string(), "duplicate key `a`");
        assert_eq!(problem.position().unwrap(), "a.yml:3:3");
        assert!(parse(&Source::inline("a.toml", "a = 1\na = 2\n")).is_err());
    }

    #[test]
    fn only_the_first_document_is_read() {
        let node = parse(&Source::inline("a.yml", "# x\n---\na: 1\n---\nb: 2\n")).unwrap();
        let Value::Map(entries) = node.value else { panic!() };
        assert_eq!(entries.len(), 1);
    }

    #[test]
    fn empty_files_and_comments_hold_nothing() {
        for text in ["", "\n\n", "# {{ env }}\n"] {
            assert!(matches!(parse(&Source::inline("a.yml", text)).unwrap().value, Value::Null));
        }
    }

    #[test]
    fn anchors_and_merge_keys_are_followed() {
        let node = parse(&Source::inline("a.yml", "a: &a {x: 1}\nb: {<<: *a, y: 2}\n")).unwrap();
        let Value::Map(entries) = node.value else { panic!() };
        let Value::Map(merged) = &entries[1].1.value else { panic!() };
        let names: Vec<_> = merged.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}
