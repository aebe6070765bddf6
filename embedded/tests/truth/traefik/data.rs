//! The recordings in `data/traefik`: whole for 3.6.7; for the other versions, what is otherwise than there.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::world::World;

/// The recorded versions.
pub(crate) const VERSIONS: [&str; 3] = ["3.0.4", "3.6.7", "3.7.15"];

/// The version that is recorded whole.
const WHOLE: &str = "3.6.7";

/// The cases of a recording, in their recorded order.
///
/// # Panics
/// When the file is no such recording.
pub(crate) fn cases<T: DeserializeOwned>(version: &str, name: &str) -> Vec<(String, T)> {
    let mut cases = read(WHOLE, name);
    if version != WHOLE {
        for (case, fields) in read(version, name) {
            let whole = cases.get_mut(&case).and_then(Value::as_object_mut);
            let whole = whole.unwrap_or_else(|| panic!("{version} {name}: `{case}` is not in {WHOLE}"));
            let Value::Object(fields) = fields else { panic!("{version} {name}: `{case}` has no fields") };
            for (field, value) in fields {
                match value {
                    Value::Null => drop(whole.remove(&field)),
                    value => drop(whole.insert(field, value)),
                }
            }
        }
    }
    let case = |(case, value)| match serde_json::from_value(value) {
        Ok(read) => (case, read),
        Err(error) => panic!("{version} {name}: `{case}`: {error}"),
    };
    cases.into_iter().map(case).collect()
}

fn read(version: &str, name: &str) -> Map<String, Value> {
    let path = format!("{}/tests/truth/data/traefik/{version}/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `text` with the addresses of the stubs instead of their recorded names.
pub(crate) fn addressed(text: &str, world: &World) -> String {
    world.names().iter().fold(text.to_owned(), |text, (name, address)| text.replace(name, address))
}

/// `<8000 chars>` written out.
pub(crate) fn long(text: &str) -> String {
    let Some((before, rest)) = text.split_once('<') else { return text.to_owned() };
    let Some((length, after)) = rest.split_once(" chars>") else { return text.to_owned() };
    match length.parse() {
        Ok(length) => format!("{before}{}{after}", "x".repeat(length)),
        Err(_) => text.to_owned(),
    }
}
