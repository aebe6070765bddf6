//! The list of recorded exchanges that the embedded stack does not answer as recorded, each with its reason.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::Regex;
use serde::Deserialize;

use crate::recording::{Played, Recording};
use crate::tally::Outcome;

const LIST: &str = include_str!("not-modelled.yaml");

/// The list.
pub(crate) struct NotModelled(Vec<Entry>);

/// One entry of the list as written. In patterns, `*` stands for any text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// `authentik/2026.2.2/15-health-version`.
    recordings: String,
    /// `GET https://auth.spacemusic.tv/-/metrics/`; every exchange of the recordings when absent.
    request: Option<String>,
    /// The exchange's place in the recordings; any when absent.
    at: Option<Vec<usize>>,
    reason: String,
}

struct Entry {
    line: Line,
    recordings: Regex,
    request: Option<Regex>,
    /// How many exchanges it excused.
    used: AtomicUsize,
}

impl NotModelled {
    /// Reads the list.
    ///
    /// # Panics
    /// When it is no such list.
    pub(crate) fn read() -> Self {
        let lines: Vec<Line> = serde_saphyr::from_str(LIST).expect("not-modelled.yaml is a list of entries");
        Self(lines.into_iter().map(Entry::new).collect())
    }

    /// What became of an exchange. One that the list names and that is answered as recorded is a difference too: the
    /// list must not name it.
    pub(crate) fn judge(&self, recording: &Recording, played: &Played) -> Outcome {
        let entry = self.0.iter().find(|entry| entry.covers(recording, played));
        let place = format!("[{}] {}", played.at, played.request);
        match entry {
            None if played.differences.is_empty() => Outcome::Matched,
            None => Outcome::Differs(
                played.differences.iter().fold(place, |text, line| format!("{text}\n    {line}")),
            ),
            Some(entry) => {
                entry.used.fetch_add(1, Ordering::Relaxed);
                if played.differences.is_empty() {
                    Outcome::Differs(format!(
                        "{place}\n    is answered as recorded, but not-modelled.yaml names it"
                    ))
                } else {
                    Outcome::NotModelled
                }
            }
        }
    }

    /// What is wrong with the list once every recording was played.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let idle = self.0.iter().filter(|entry| entry.used() == 0);
        idle.map(|entry| format!("not-modelled.yaml names no exchange with `{}`", entry.line.pattern()))
    }
}

impl fmt::Display for NotModelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: usize = self.0.iter().map(Entry::used).sum();
        writeln!(f, "\nnot modelled: {count} exchanges, {} reasons", self.0.len())?;
        for entry in &self.0 {
            writeln!(f, "{:>5}  {}: {}", entry.used(), entry.line.pattern(), entry.line.reason)?;
        }
        Ok(())
    }
}

impl Line {
    fn pattern(&self) -> String {
        let request = self.request.iter().map(|request| format!(" {request}"));
        let at = self.at.iter().map(|at| format!(" {at:?}"));
        std::iter::once(self.recordings.clone()).chain(request).chain(at).collect()
    }
}

impl Entry {
    fn new(line: Line) -> Self {
        let recordings = wildcard(&line.recordings);
        let request = line.request.as_deref().map(wildcard);
        Self { line, recordings, request, used: AtomicUsize::new(0) }
    }

    fn covers(&self, recording: &Recording, played: &Played) -> bool {
        let name = format!("{}/{}/{}", recording.program, recording.version, recording.name);
        self.recordings.is_match(&name)
            && self.request.as_ref().is_none_or(|request| request.is_match(&played.request))
            && self.line.at.as_ref().is_none_or(|at| at.contains(&played.at))
    }

    fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// The expression for a text in which `*` stands for any text.
fn wildcard(pattern: &str) -> Regex {
    let expression = pattern.split('*').map(regex::escape).collect::<Vec<_>>().join(".*");
    Regex::new(&format!("(?s)^{expression}$")).expect("escaped text is an expression")
}
