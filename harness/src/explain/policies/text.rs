//! The explanation as people read it.

use std::fmt;

use super::PoliciesExplanation;
use crate::explain::advice_text;

impl fmt::Display for PoliciesExplanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "answer: {}", self.answer)?;
        if let Some(claim) = &self.claim {
            writeln!(out, "\nclaim `{claim}`:")?;
            for name in &self.names {
                let said = if name.policy { "a policy" } else { "no policy, dropped" };
                writeln!(out, "  {:?}  {said}", name.name)?;
            }
            for value in &self.ignored {
                writeln!(out, "  {value}  no string, ignored")?;
            }
            if self.names.is_empty() {
                writeln!(out, "  names no policy")?;
            }
        }
        if !self.advice.is_empty() {
            write!(out, "\n{}", advice_text(&self.advice))?;
        }
        Ok(())
    }
}
