//! Which ids there are, and what became of each.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use serde::Deserialize;

/// A public case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    id: String,
    upstream: String,
}

/// A case that the product cannot express.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Explained {
    id: String,
    reason: String,
}

/// What became of every id.
pub(crate) struct Tally {
    known: BTreeMap<String, String>,
    tested: BTreeSet<String>,
    explained: Vec<Explained>,
    ran: BTreeMap<String, bool>,
}

impl Tally {
    /// The known ids, those with a test (`tested`), and those that are explained.
    pub(crate) fn read<'a>(tested: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<Known> =
            serde_json::from_str(include_str!("data/ids.json")).expect("ids.json holds ids");
        let source =
            ssoproof_deployment::Source::inline("not_expressed.yaml", include_str!("not_expressed.yaml"));
        Self {
            known: known.into_iter().map(|case| (case.id, case.upstream)).collect(),
            tested: tested.map(str::to_owned).collect(),
            explained: source.yaml().expect("not_expressed.yaml holds ids and reasons"),
            ran: BTreeMap::new(),
        }
    }

    /// Where the case comes from.
    pub(crate) fn upstream(&self, id: &str) -> String {
        self.known.get(id).cloned().unwrap_or_default()
    }

    /// Whether every id is either tested or explained, and no more than 15 % are explained.
    pub(crate) fn accounted(&self) -> Result<(), String> {
        let explained: BTreeSet<&str> = self.explained.iter().map(|case| case.id.as_str()).collect();
        let mut wrong: Vec<String> = Vec::new();
        for id in self.known.keys() {
            match (self.tested.contains(id), explained.contains(id.as_str())) {
                (true, true) => wrong.push(format!("{id} is tested and explained")),
                (false, false) => wrong.push(format!("{id} is neither tested nor explained")),
                _ => {}
            }
        }
        let unknown = self.tested.iter().map(String::as_str).chain(explained.iter().copied());
        wrong.extend(
            unknown.filter(|id| !self.known.contains_key(*id)).map(|id| format!("{id} is not known")),
        );
        wrong.extend(
            self.explained
                .iter()
                .filter(|case| case.reason.len() < 20)
                .map(|case| format!("{} has no reason", case.id)),
        );
        if explained.len() * 100 > self.known.len() * 15 {
            wrong.push(format!("{} of {} are explained, more than 15 %", explained.len(), self.known.len()));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// Notes that a test of `id` ran; a case passes when all of its tests do.
    pub(crate) fn note(&mut self, id: &str, passed: bool) {
        let all = self.ran.entry(id.to_owned()).or_insert(true);
        *all &= passed;
    }

    /// Prints how many ids there are and what became of them.
    pub(crate) fn print(&self) {
        let passed = self.ran.values().filter(|passed| **passed).count();
        let failed = self.ran.len() - passed;
        let not_run = self.tested.len() - self.ran.len();
        let share = 100.0 * self.explained.len() as f64 / self.known.len() as f64;
        let mut out = std::io::stdout().lock();
        let _ = writeln!(
            out,
            "{} ids: {passed} passed, {failed} failed, {not_run} not run, {} explained ({share:.1} %)",
            self.known.len(),
            self.explained.len()
        );
    }
}

/// Fails unless `advice` was given among `given`, and `text` says `says`.
pub(crate) fn said(given: &[&str], advice: &[String], says: Option<&str>, text: &str) -> Result<(), String> {
    for rule in advice {
        if !given.contains(&rule.as_str()) {
            return Err(format!("no note {rule} in\n{text}"));
        }
    }
    match says {
        Some(words) if !text.contains(words) => Err(format!("`{words}` is not said in\n{text}")),
        _ => Ok(()),
    }
}
