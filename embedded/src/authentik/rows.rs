//! The state as rows of a database, and back.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::state::State;
use super::table::Table;

/// A row as it is stored; without a value it is gone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The table.
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) value: Option<Value>,
}

/// The kind of the one row with the numbers last given.
const NUMBERS: &str = "numbers";

macro_rules! tables {
    ($($table:ident),* $(,)?) => {
        impl State {
            /// Notes changes from now on.
            pub(crate) fn track(&mut self) {
                $(self.$table.track();)*
            }

            /// What changed since this was last asked.
            pub(crate) fn take_changes(&mut self) -> Vec<Row> {
                let mut rows = Vec::new();
                $(
                    let changed = self.$table.take_changed();
                    rows.extend(taken(stringify!($table), &self.$table, &changed));
                )*
                if !rows.is_empty() {
                    rows.push(self.numbers());
                }
                rows
            }

            /// Every row.
            pub(crate) fn rows(&self) -> Vec<Row> {
                let mut rows = vec![self.numbers()];
                $(
                    let all = self.$table.keys().cloned().collect();
                    rows.extend(taken(stringify!($table), &self.$table, &all));
                )*
                rows
            }

            /// Notes that a row has changed, whatever it is now.
            pub(crate) fn mark(&mut self, row: &Row) {
                match row.kind.as_str() {
                    $(stringify!($table) => row.key.parse().into_iter().for_each(|key| self.$table.mark(key)),)*
                    _ => {}
                }
            }

            /// Takes a row in, as a change; one that does not parse is left out.
            pub(crate) fn put(&mut self, row: Row) {
                match row.kind.as_str() {
                    $(stringify!($table) => put(&mut self.$table, row),)*
                    NUMBERS => {
                        let number = |name: &str| row.value.as_ref().and_then(|value| value[name].as_u64());
                        self.last_user = number("user").unwrap_or_default().max(self.last_user);
                        self.last_provider = number("provider").unwrap_or_default().max(self.last_provider);
                    }
                    // Another version's table.
                    _ => {}
                }
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
        Row { kind: NUMBERS.to_owned(), key: String::new(), value: Some(value) }
    }
}

fn taken<K: Clone + Display + Ord, V: Serialize>(
    kind: &str,
    table: &Table<K, V>,
    keys: &BTreeSet<K>,
) -> Vec<Row> {
    let row = |key: &K| Row {
        kind: kind.to_owned(),
        key: key.to_string(),
        value: table.get(key).and_then(|row| serde_json::to_value(row).ok()),
    };
    keys.iter().map(row).collect()
}

fn put<K: Clone + FromStr + Ord, V: DeserializeOwned>(table: &mut Table<K, V>, row: Row) {
    let Ok(key) = row.key.parse() else { return };
    match row.value {
        Some(value) => {
            if let Ok(value) = serde_json::from_value(value) {
                table.insert(key, value);
            }
        }
        None => drop(table.remove(&key)),
    }
}
