//! `log`: what a component's log says, and what it keeps to itself.

use schemars::JsonSchema;
use serde::Deserialize;
use ssoproof_deployment::{Located, Place};

use super::expect::{Check, CheckFuture, Finding};
use crate::scenario::Text;
use crate::steps::{Parts, Seen, StepError, World};

/// Texts that lines of the log hold, or that none may hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Some line holds each of these.
    #[serde(default)]
    says: Vec<Located<Text>>,
    /// No line holds any of these.
    #[serde(default)]
    hides: Vec<Located<Text>>,
}

impl Check for Log {
    fn parts(&self, _: Place, parts: &mut Parts) {
        parts.texts(self.says.iter().chain(&self.hides));
    }

    fn run<'a>(&'a self, _: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let Some(lines) = &seen.log else {
                return Err(StepError::Missing("`log` needs a step `component: { log: … }`".into()));
            };
            let mut findings = Vec::new();
            for (texts, wanted) in [(&self.says, true), (&self.hides, false)] {
                for text in texts {
                    let needle = world.text(text)?;
                    let line = lines.iter().find(|line| line.contains(&needle));
                    if line.is_some() != wanted {
                        findings.push(finding(&needle, line, lines.len(), text.place));
                    }
                }
            }
            Ok(findings)
        })
    }
}

/// What is wrong about `needle`, which `line` holds or none of `count` lines does.
fn finding(needle: &str, line: Option<&String>, count: usize, place: Place) -> Finding {
    let (expected, got) = match line {
        None => (format!("a line with `{needle}`"), format!("none of {count} lines holds it")),
        Some(line) => (format!("no line with `{needle}`"), line.clone()),
    };
    Finding { check: "", what: "the log".to_owned(), expected, got, place, hop: None }
}
