//! What became of each recorded exchange, counted for each program and version.

use std::collections::BTreeMap;
use std::fmt;

use crate::recording::Recording;

/// What became of one recorded exchange.
pub(crate) enum Outcome {
    /// The answer is the recorded one.
    Matched,
    /// It is not; the text says where, in lines.
    Differs(String),
    /// It is not, and the list says why, with this reason.
    NotModelled,
}

/// The counts so far.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<(&'static str, String), Counts>);

#[derive(Default)]
struct Counts {
    recordings: std::collections::BTreeSet<String>,
    matched: usize,
    differ: usize,
    not_modelled: usize,
}

impl Tally {
    /// Counts one exchange of `recording`.
    pub(crate) fn count(&mut self, recording: &Recording, outcome: &Outcome) {
        let counts = self.0.entry((recording.program, recording.version.clone())).or_default();
        counts.recordings.insert(recording.name.clone());
        match outcome {
            Outcome::Matched => counts.matched += 1,
            Outcome::Differs(_) => counts.differ += 1,
            Outcome::NotModelled => counts.not_modelled += 1,
        }
    }
}

impl Tally {
    /// The programs and versions of which more than a tenth is not modelled.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let over =
            |counts: &Counts| counts.not_modelled * 10 > counts.matched + counts.differ + counts.not_modelled;
        let found = self.0.iter().filter(move |(_, counts)| over(counts));
        found.map(|((program, version), _)| {
            format!("more than a tenth of {program} {version} is not modelled")
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<10} {:<10} {:>10} {:>9} {:>9} {:>8} {:>13}",
            "program", "version", "recordings", "exchanges", "replayed", "matched", "not modelled"
        )?;
        for ((program, version), counts) in &self.0 {
            let replayed = counts.matched + counts.differ;
            let recorded = replayed + counts.not_modelled;
            let tenths = counts.not_modelled * 1000 / recorded.max(1);
            let share = format!("{} ({}.{} %)", counts.not_modelled, tenths / 10, tenths % 10);
            writeln!(
                f,
                "{program:<10} {version:<10} {:>10} {recorded:>9} {replayed:>9} {:>8} {share:>13}",
                counts.recordings.len(),
                counts.matched
            )?;
        }
        Ok(())
    }
}
