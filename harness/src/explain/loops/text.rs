//! The explanation as people read it.

use std::fmt;

use super::LoopExplanation;

impl fmt::Display for LoopExplanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            None => writeln!(out, "{}: no loop in {} hops", self.name, self.hops)?,
            Some(found) => {
                writeln!(out, "{}: LOOP: {}", self.name, found.what)?;
                writeln!(out, "  period {} hops, turns at hop {}", found.period, found.turns_at + 1)?;
                for (place, step) in found.round.iter().enumerate() {
                    writeln!(out, "  {:>4} {step}", found.turns_at + place + 1)?;
                }
            }
        }
        for cause in &self.causes {
            let at = cause.hop.map(|hop| format!(" (hop {})", hop + 1)).unwrap_or_default();
            writeln!(out, "  {}  {}{at}\n           {}", cause.code, cause.title, cause.help)?;
        }
        Ok(())
    }
}
