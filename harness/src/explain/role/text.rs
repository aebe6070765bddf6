//! The explanation as people read it.

use std::fmt;

use super::{Arm, RoleExplanation, SearchExplained};
use crate::explain::advice_text;

impl fmt::Display for RoleExplanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "role: {}", self.verdict)?;
        writeln!(out, "decided by: {}", self.decided_by)?;
        if let Some(admin) = self.grafana_admin {
            writeln!(out, "server administrator: {}", if admin { "yes" } else { "no" })?;
        }
        writeln!(out)?;
        for source in &self.sources {
            writeln!(out, "{}: {}", source.source, source.end)?;
            for (number, search) in source.searches.iter().enumerate() {
                write_search(out, number + 1, search)?;
            }
        }
        if !self.advice.is_empty() {
            write!(out, "\n{}", advice_text(&self.advice))?;
        }
        Ok(())
    }
}

fn write_search(out: &mut fmt::Formatter<'_>, number: usize, search: &SearchExplained) -> fmt::Result {
    writeln!(out, "  search {number} on {}: {}", search.on, search.gave)?;
    search.arms.iter().enumerate().try_for_each(|(place, arm)| write_arm(out, place + 1, arm))
}

fn write_arm(out: &mut fmt::Formatter<'_>, number: usize, arm: &Arm) -> fmt::Result {
    let mark = if arm.decides { ">" } else { " " };
    let gave = arm.gave.as_deref().unwrap_or("not reached");
    writeln!(out, "  {mark} arm {number}: {} = {gave}", arm.text)?;
    for part in &arm.parts {
        writeln!(out, "        {} = {}", part.text, part.gave.as_deref().unwrap_or("not reached"))?;
    }
    Ok(())
}
