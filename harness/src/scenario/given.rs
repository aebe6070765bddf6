//! A text that names one of several things, or a variable that does.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};

use super::scope::Scope;
use super::text::{Text, TextError};

/// A text that is read as a `T` once its variables have their values; one without variables is read at once, so that a
/// mistake in it is known before anything runs.
#[derive(Clone)]
pub struct Given<T> {
    text: Text,
    kind: PhantomData<fn() -> T>,
}

/// Why a text gives no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GivenError {
    /// A variable has no value.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The text says nothing that is known.
    #[error("{0}")]
    Value(String),
}

impl<T> Given<T> {
    /// The text.
    pub fn text(&self) -> &Text {
        &self.text
    }
}

impl<T: FromStr<Err: fmt::Display>> Given<T> {
    /// The value.
    ///
    /// # Errors
    /// [`GivenError`].
    pub fn value(&self, scope: &Scope) -> Result<T, GivenError> {
        self.text.string(scope)?.parse().map_err(|error: T::Err| GivenError::Value(error.to_string()))
    }
}

impl<T> fmt::Debug for Given<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(out)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Self { text: Text::deserialize(deserializer)?, kind: PhantomData };
        match given.value(&Scope::default()) {
            Err(GivenError::Value(message)) => Err(D::Error::custom(message)),
            // Its variables are looked up with all others.
            _ => Ok(given),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Given<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Given{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        let variable = json_schema!({ "type": "string", "pattern": "\\$" });
        json_schema!({ "anyOf": [value, variable] })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mistake_without_variables_is_found_when_it_is_read() {
        let read = |text: &str| serde_json::from_value::<Given<u16>>(json!(text));
        assert!(read("x").is_err());
        let scope = Scope::new(json!({ "n": "7", "m": "x" }));
        assert_eq!(read("42").unwrap().value(&scope), Ok(42));
        assert_eq!(read("$n").unwrap().value(&scope), Ok(7));
        assert!(matches!(read("$m").unwrap().value(&scope), Err(GivenError::Value(_))));
        assert!(matches!(read("$o").unwrap().value(&scope), Err(GivenError::Text(_))));
    }
}
