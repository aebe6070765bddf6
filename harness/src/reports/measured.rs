//! What the cases of one scenario have measured, together.

use std::fmt;

use crate::steps::Figure;

/// The least and the most of a figure.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    range: Option<(Figure, Figure)>,
    cases: usize,
}

impl Measured {
    /// Adds what another case has measured.
    pub(super) fn add(&mut self, figure: &Figure) {
        self.cases += 1;
        self.range = Some(match self.range.take() {
            None => (figure.clone(), figure.clone()),
            Some((least, most)) => (
                if figure.value < least.value { figure.clone() } else { least },
                if figure.value > most.value { figure.clone() } else { most },
            ),
        });
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((least, most)) = &self.range else { return Ok(()) };
        if least.value < most.value {
            let at_least = if most.at_least { "at least " } else { "" };
            write!(out, "{} to {at_least}{} {}", least.value, most.value, most.unit)?;
        } else {
            write!(out, "{most}")?;
        }
        if self.cases > 1 {
            write!(out, " ({} times)", self.cases)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_many_cases_are_told_as_a_range() {
        let figure =
            |value, at_least| Figure { name: "exposure", of: "docs".into(), value, unit: "ms", at_least };
        let mut measured = Measured::default();
        measured.add(&figure(12.5, false));
        assert_eq!(measured.to_string(), "12.5 ms");
        measured.add(&figure(40.0, true));
        assert_eq!(measured.to_string(), "12.5 to at least 40 ms (2 times)");
    }
}
