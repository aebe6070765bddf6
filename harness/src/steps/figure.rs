//! What a step has measured: reports have it whether or not a check looks at it.

use std::fmt;

use serde::Serialize;

/// Something measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What: `exposure`, `let_in`.
    pub name: &'static str,
    /// Of which service.
    pub of: String,
    /// How much.
    pub value: f64,
    /// In which unit: `ms`, `requests`.
    pub unit: &'static str,
    /// Whether it would have been more, had the step gone on.
    pub at_least: bool,
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.at_least { "at least " } else { "" };
        write!(out, "{least}{} {}", self.value, self.unit)
    }
}
