//! The values that `$name.path` stands for.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::text::TextError;

/// The values of one case: the deployment's, which all cases share, the matrix, and what steps have saved.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    shared: Arc<Map<String, Value>>,
    own: Map<String, Value>,
}

impl Scope {
    /// A scope whose names are the keys of `values`; clones share them.
    pub fn new(values: Value) -> Self {
        match values {
            Value::Object(values) => Self { shared: Arc::new(values), own: Map::new() },
            _ => Self::default(),
        }
    }

    /// Gives `name` a value.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        self.own.insert(name.into(), value);
    }

    /// Whether `name` has a value.
    pub fn has(&self, name: &str) -> bool {
        self.own.contains_key(name) || self.shared.contains_key(name)
    }

    /// The value at `path`: keys of mappings, numbers into lists.
    ///
    /// # Errors
    /// [`TextError::Undefined`] with what is there instead.
    pub fn lookup(&self, path: &[String]) -> Result<&Value, TextError> {
        let undefined = |part: &str, known: Vec<String>| TextError::Undefined {
            path: path.join("."),
            part: part.to_owned(),
            known,
        };
        let Some((first, rest)) = path.split_first() else { return Err(undefined("", Vec::new())) };
        let keys = |map: &Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
        let named = self.own.get(first).or_else(|| self.shared.get(first));
        let known = || [keys(&self.own), keys(&self.shared)].concat();
        let mut value = named.ok_or_else(|| undefined(first, known()))?;
        for part in rest {
            let (next, known) = match value {
                Value::Object(map) => (map.get(part), keys(map)),
                Value::Array(items) => (
                    part.parse::<usize>().ok().and_then(|index| items.get(index)),
                    (0..items.len()).map(|index| index.to_string()).collect(),
                ),
                _ => (None, Vec::new()),
            };
            value = next.ok_or_else(|| undefined(part, known))?;
        }
        Ok(value)
    }
}
