//! Text with `$name.path` in it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use super::scope::Scope;

/// A string whose `$name.path` and `${name.path}` stand for values of the case; `$$` is a dollar sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Variable(Vec<String>),
}

/// Why a text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// `${` without its `}`, or with nothing in it.
    #[error("`${{` without a name and a closing brace")]
    Unclosed,
    /// A `$` before something that is no name.
    #[error("`$` before `{0}` is no variable")]
    NoName(String),
    /// Nothing has this name.
    #[error("undefined variable `${path}`")]
    Undefined {
        /// The dotted path.
        path: String,
        /// The part that is not there.
        part: String,
        /// What is there instead.
        known: Vec<String>,
    },
    /// A list or mapping in the middle of a text.
    #[error("`${0}` is a list or a mapping, which does not fit into a text")]
    NotText(String),
}

impl Text {
    /// Reads a text.
    ///
    /// # Errors
    /// [`TextError`] when a `$` begins no variable.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, after) = rest.split_at(at);
            plain.push_str(before);
            let after = after.get(1..).unwrap_or_default();
            if let Some(tail) = after.strip_prefix('$') {
                plain.push('$');
                rest = tail;
                continue;
            }
            let (path, tail) = variable(after)?;
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Variable(path));
            rest = tail;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        Ok(Self { pieces })
    }

    /// The dotted paths of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &[String]> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(path) => Some(path.as_slice()),
            Piece::Plain(_) => None,
        })
    }

    /// The text with every variable's value in place.
    ///
    /// # Errors
    /// [`TextError`] when a variable is undefined or is no text.
    pub fn string(&self, scope: &Scope) -> Result<String, TextError> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => out.push_str(plain),
                Piece::Variable(path) => match scope.lookup(path)? {
                    Value::String(text) => out.push_str(text),
                    Value::Number(number) => out.push_str(&number.to_string()),
                    Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
                    Value::Null => {}
                    Value::Array(_) | Value::Object(_) => return Err(TextError::NotText(path.join("."))),
                },
            }
        }
        Ok(out)
    }

    /// The value: a text that is one variable and nothing else keeps lists and mappings whole.
    ///
    /// # Errors
    /// As [`Self::string`].
    pub fn value(&self, scope: &Scope) -> Result<Value, TextError> {
        match self.pieces.as_slice() {
            [Piece::Variable(path)] => Ok(scope.lookup(path)?.clone()),
            _ => self.string(scope).map(Value::String),
        }
    }
}

/// The path after a `$`, and what follows it.
fn variable(after: &str) -> Result<(Vec<String>, &str), TextError> {
    if let Some(inside) = after.strip_prefix('{') {
        let (path, tail) = inside.split_once('}').ok_or(TextError::Unclosed)?;
        let path: Vec<String> = path.split('.').map(|part| part.trim().to_owned()).collect();
        return if path.iter().any(String::is_empty) { Err(TextError::Unclosed) } else { Ok((path, tail)) };
    }
    let mut path = Vec::new();
    let mut rest = after;
    loop {
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, tail) = rest.split_at(length);
        if name.is_empty() || (path.is_empty() && name.starts_with(|c: char| c.is_ascii_digit())) {
            let shown: String = after.chars().take(12).collect();
            return Err(TextError::NoName(shown));
        }
        path.push(name.to_owned());
        match tail.strip_prefix('.') {
            Some(next) if next.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') => rest = next,
            _ => return Ok((path, tail)),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Text; `$name.path` and `${name.path}` stand for values of the case, `$$` is a dollar sign."
        })
    }
}

/// Any YAML value whose texts may hold variables.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Value);

impl Template {
    /// The value with every variable's value in place.
    ///
    /// # Errors
    /// [`TextError`] for a text in it that cannot be used.
    pub fn value(&self, scope: &Scope) -> Result<Value, TextError> {
        fill(&self.0, scope)
    }

    /// The dotted paths of the variables in it.
    ///
    /// # Errors
    /// [`TextError`] for a text in it where a `$` begins no variable.
    pub fn variables(&self) -> Result<Vec<Vec<String>>, TextError> {
        let mut found = Vec::new();
        collect(&self.0, &mut found)?;
        Ok(found)
    }
}

fn collect(value: &Value, found: &mut Vec<Vec<String>>) -> Result<(), TextError> {
    match value {
        Value::String(text) => found.extend(Text::parse(text)?.variables().map(<[String]>::to_vec)),
        Value::Array(items) => items.iter().try_for_each(|item| collect(item, found))?,
        Value::Object(fields) => fields.values().try_for_each(|item| collect(item, found))?,
        _ => {}
    }
    Ok(())
}

fn fill(value: &Value, scope: &Scope) -> Result<Value, TextError> {
    Ok(match value {
        Value::String(text) => Text::parse(text)?.value(scope)?,
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| fill(item, scope)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, item)| Ok((key.clone(), fill(item, scope)?)))
                .collect::<Result<_, TextError>>()?,
        ),
        other => other.clone(),
    })
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        collect(&value, &mut Vec::new()).map_err(D::Error::custom)?;
        Ok(Self(value))
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Any value; texts in it may hold `$name.path`." })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        Scope::new(json!({"service": {"url": "https://a.test"}, "persona": {"groups": ["x", "y"]}, "n": 3}))
    }

    fn string(text: &str) -> Result<String, TextError> {
        Text::parse(text)?.string(&scope())
    }

    #[test]
    fn variables_end_where_a_path_ends() {
        assert_eq!(string("$service.url/reports?week=$n").unwrap(), "https://a.test/reports?week=3");
        assert_eq!(string("${service.url}.evil").unwrap(), "https://a.test.evil");
        assert_eq!(string("costs $$5").unwrap(), "costs $5");
        assert_eq!(string("$service.url.").unwrap(), "https://a.test.");
    }

    #[test]
    fn one_variable_alone_keeps_its_kind() {
        let value = Text::parse("$persona.groups").unwrap().value(&scope()).unwrap();
        assert_eq!(value, json!(["x", "y"]));
        assert_eq!(string("a $persona.groups"), Err(TextError::NotText("persona.groups".into())));
    }

    #[test]
    fn undefined_names_say_what_is_there() {
        let error = string("$service.uri").unwrap_err();
        let TextError::Undefined { path, part, known } = error else { panic!("{error}") };
        assert_eq!((path.as_str(), part.as_str(), known), ("service.uri", "uri", vec!["url".to_owned()]));
    }

    #[test]
    fn a_dollar_before_nothing_is_an_error() {
        assert_eq!(Text::parse("a $ b"), Err(TextError::NoName(" b".into())));
        assert_eq!(Text::parse("${a"), Err(TextError::Unclosed));
        assert_eq!(Text::parse("$1"), Err(TextError::NoName("1".into())));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = Text::parse(&text);
        }

        #[test]
        fn escaped_text_stands_for_itself(text in ".{0,40}") {
            let read = Text::parse(&text.replace('$', "$$")).unwrap();
            proptest::prop_assert_eq!(read.string(&scope()).unwrap(), text);
        }
    }
}
