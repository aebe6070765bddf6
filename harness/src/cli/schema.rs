//! `ssoproof schema`.

use super::exit::Exit;
use crate::reports::out;
use crate::scenario;

/// Prints the JSON Schema of scenario files.
pub(super) fn print() -> Exit {
    match serde_json::to_string_pretty(&scenario::schema()) {
        Ok(text) => out(&format!("{text}\n")),
        Err(_) => Exit::Internal,
    }
}
