//! Explainers: what Grafana, MinIO or a browser makes of what is at hand. Nothing is sent anywhere.

pub mod input;
pub mod loops;
pub mod policies;
pub mod role;
pub mod token;

use serde::Serialize;

/// Something to mend or to know, which an explainer noticed beside its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The rule that noticed it, for scripts.
    pub rule: &'static str,
    /// What there is.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

impl Advice {
    /// Advice by `rule`.
    pub fn new(rule: &'static str, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { rule, what: what.into(), help: help.into() }
    }
}

/// The lines of `advice`, empty when there is none.
fn advice_text(advice: &[Advice]) -> String {
    advice.iter().map(|each| format!("note {}: {}\n     {}\n", each.rule, each.what, each.help)).collect()
}
