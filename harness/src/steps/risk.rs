//! `risk`: what holds by design, and is a danger all the same.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ssoproof_deployment::Located;

use crate::scenario::Text;

/// A danger that is there when the step is as expected, by the design of the programs: nothing is broken, but the
/// operator has to know. A run lists it, and does not fail for it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// How bad it is.
    pub severity: Severity,
    /// What can be done, in one line.
    pub text: Located<Text>,
}

/// How bad a risk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody can be taken for another.
    High,
    /// Somebody gets at what is not meant for them.
    Medium,
    /// It helps only together with something else.
    Low,
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        })
    }
}
