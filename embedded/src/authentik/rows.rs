//! The state as rows of a database, and back.

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::state::State;
use super::table::Table;
use super::writer::Writers;

/// A row as it is stored; without a value it is gone.
#[derive(Debug)]
pub(crate) struct Row {
    /// The table.
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) value: Option<Value>,
    /// Who changed it.
    pub(crate) writers: Writers,
}

impl Row {
    /// A row as the database has it.
    pub(crate) fn stored(kind: String, key: Vec<u8>, value: Value) -> Result<Self, RowError> {
        match String::from_utf8(key) {
            Ok(key) => Ok(Self { kind, key, value: Some(value), writers: Writers::nobody() }),
            Err(error) => Err(RowError::new(&kind, &String::from_utf8_lossy(error.as_bytes()))),
        }
    }
}

/// A row that does not fit its table. What is wrong with it is not told: it may quote a secret.
#[derive(Debug, thiserror::Error)]
#[error("row `{kind}` {key} does not fit its table")]
pub(crate) struct RowError {
    kind: String,
    key: String,
}

impl RowError {
    fn new(kind: &str, key: &str) -> Self {
        let key = if SECRET_KEYS.contains(&kind) { "(secret key)" } else { key };
        Self { kind: kind.to_owned(), key: key.to_owned() }
    }
}

/// The tables whose keys let their bearer in.
const SECRET_KEYS: [&str; 6] =
    ["tokens", "sessions", "codes", "access_tokens", "refresh_tokens", "proxy_sessions"];

/// The kind of the one row with the numbers last given.
const NUMBERS: &str = "numbers";
static NOBODY: Writers = Writers::nobody();

macro_rules! tables {
    ($($table:ident),* $(,)?) => {
        impl State {
            /// Notes changes from now on.
            pub(crate) fn track(&mut self) {
                $(self.$table.track();)*
            }

            /// What changed since this was last asked. After an error nothing is taken.
            pub(crate) fn take_changes(&mut self) -> Result<Vec<Row>, RowError> {
                let mut rows = Vec::new();
                $(rows.extend(taken(stringify!($table), &self.$table, self.$table.changed())?);)*
                $(self.$table.take_changed();)*
                if !rows.is_empty() {
                    rows.push(self.numbers());
                }
                Ok(rows)
            }

            /// Every row.
            pub(crate) fn rows(&self) -> Result<Vec<Row>, RowError> {
                let mut rows = vec![self.numbers()];
                $(rows.extend(taken(stringify!($table), &self.$table, self.$table.keys().map(|key| (key, &NOBODY)))?);)*
                Ok(rows)
            }

            /// Notes that a row has changed, whatever it is now, and by whom.
            pub(crate) fn mark(&mut self, row: &Row) {
                match row.kind.as_str() {
                    $(stringify!($table) => row.key.parse().into_iter().for_each(|key| self.$table.mark(key, row.writers.clone())),)*
                    _ => {}
                }
            }

            /// Takes a row in, as a change.
            pub(crate) fn put(&mut self, row: Row) -> Result<(), RowError> {
                match row.kind.as_str() {
                    $(stringify!($table) => put(&mut self.$table, row)?,)*
                    NUMBERS => {
                        let number = |name: &str| row.value.as_ref().and_then(|value| value[name].as_u64());
                        self.last_user = number("user").unwrap_or_default().max(self.last_user);
                        self.last_provider = number("provider").unwrap_or_default().max(self.last_provider);
                    }
                    // Another version's table.
                    _ => {}
                }
                Ok(())
            }
        }
    };
}

tables!(
    groups,
    users,
    tokens,
    flows,
    key_pairs,
    mappings,
    providers,
    applications,
    bindings,
    outposts,
    sessions,
    codes,
    access_tokens,
    refresh_tokens,
    proxy_sessions,
);

impl State {
    fn numbers(&self) -> Row {
        let value = json!({ "user": self.last_user, "provider": self.last_provider });
        Row { kind: NUMBERS.to_owned(), key: String::new(), value: Some(value), writers: Writers::nobody() }
    }
}

fn taken<'k, K: Display + Ord + 'k, V: Serialize>(
    kind: &str,
    table: &Table<K, V>,
    keys: impl Iterator<Item = (&'k K, &'k Writers)>,
) -> Result<Vec<Row>, RowError> {
    let row = |(key, writers): (&K, &Writers)| {
        let value = table.get(key).map(serde_json::to_value).transpose();
        let value = value.map_err(|_| RowError::new(kind, &key.to_string()))?;
        Ok(Row { kind: kind.to_owned(), key: key.to_string(), value, writers: writers.clone() })
    };
    keys.map(row).collect()
}

fn put<K, V: Clone + DeserializeOwned>(table: &mut Table<K, V>, row: Row) -> Result<(), RowError>
where
    K: Clone + FromStr + Ord,
{
    let Row { kind, key, value, writers } = row;
    let parsed: K = key.parse().map_err(|_| RowError::new(&kind, &key))?;
    table.mark(parsed.clone(), writers);
    match value {
        Some(value) => {
            let value = serde_json::from_value(value).map_err(|_| RowError::new(&kind, &key))?;
            table.insert(parsed, value);
        }
        None => drop(table.remove(&parsed)),
    }
    Ok(())
}
