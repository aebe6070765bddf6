//! The same difference in many cases is one behaviour: what it is, how bad, where it shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde::Serialize;

use super::compare::{self, Difference, Kind};
use super::known::{self, Known};
use super::record::CaseRecord;
use super::saved::Run;
use super::severity::{self, Severity};
use super::timing::Timings;

/// What two runs come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing differs that anything acts on.
    Safe,
    /// Something is done another way.
    Changed,
    /// Something that worked no longer does.
    Broken,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Changed => "changed",
            Self::Broken => "broken",
        }
    }
}

/// One behaviour that differs.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The difference, as the example has it.
    pub difference: Difference,
    /// How bad it is.
    pub severity: Severity,
    /// Why it is that bad.
    pub reason: &'static str,
    /// Where it shows, by method and path; none where it is the same thing everywhere.
    pub places: BTreeSet<String>,
    /// The cases that show it.
    pub cases: BTreeSet<String>,
    /// The requirements that those cases prove.
    pub requirements: BTreeSet<String>,
    /// The shortest case that shows it.
    pub example: Example,
    /// What is known of it upstream.
    pub known: Vec<&'static Known>,
}

/// A case on both sides.
#[derive(Clone, Debug)]
pub struct Example {
    /// The case on the first side.
    pub from: Arc<CaseRecord>,
    /// The case on the second side.
    pub to: Arc<CaseRecord>,
}

impl Example {
    fn length(&self) -> (usize, &str) {
        (self.from.hops.len() + self.to.hops.len(), &self.from.id)
    }
}

/// Everything that differs between two runs.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the first side is.
    pub from: String,
    /// What the second side is.
    pub to: String,
    /// How many cases ran on both sides.
    pub compared: usize,
    /// What differs, the worst first, then what most cases show.
    pub behaviours: Vec<Behaviour>,
    /// The cases that only the first side has or has run.
    pub only_from: Vec<String>,
    /// The cases that only the second side has or has run.
    pub only_to: Vec<String>,
}

impl Report {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        let worst = self.behaviours.iter().map(|behaviour| behaviour.severity).min();
        let unmatched = !self.only_from.is_empty() || !self.only_to.is_empty();
        match worst {
            Some(Severity::Breaking) => Verdict::Broken,
            Some(Severity::Changed) => Verdict::Changed,
            _ if unmatched => Verdict::Changed,
            Some(Severity::Cosmetic) | None => Verdict::Safe,
        }
    }

    /// How many behaviours are that bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.behaviours.iter().filter(|behaviour| behaviour.severity == severity).count()
    }
}

/// Hosts, which are the same behaviour wherever it shows.
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is known to compile")]
    Regex::new(r"(?i)\b(https?|wss?)://[^/\s?&()\x22<>]+|[a-z0-9-]+(?:\.[a-z0-9-]+)+\b").expect("pattern")
});

/// The value of a parameter, an address in brackets among them.
static VALUE: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is known to compile")]
    Regex::new(r"=(?:\(.*\)|[^&()\s]+)").expect("pattern")
});

/// What two differences have in common when they are one behaviour.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: Kind,
    place: String,
    subject: String,
    from: Option<String>,
    to: Option<String>,
    severity: Severity,
}

impl Key {
    fn of(difference: &Difference, severity: Severity) -> Self {
        // What a new thing holds, and what a lost one held, is another matter for every user and application.
        let whole = difference.from.is_some() && difference.to.is_some()
            || matches!(difference.kind, Kind::Hop | Kind::Cookie | Kind::CookieAttribute);
        let masked = |text: &String| {
            let text = if whole { HOST.replace_all(text, "<host>") } else { "".into() };
            VALUE.replace_all(&text, "=").into_owned()
        };
        // An object of the API has the same fields wherever it is written, read or listed.
        let everywhere = difference.kind == Kind::Field && !whole;
        let subject = difference.subject.strip_prefix("results[].").filter(|_| everywhere);
        Self {
            kind: difference.kind,
            place: if everywhere { String::new() } else { difference.place.clone() },
            subject: subject.unwrap_or(&difference.subject).to_owned(),
            from: difference.from.as_ref().map(masked),
            to: difference.to.as_ref().map(masked),
            severity,
        }
    }
}

/// Compares two runs.
pub fn report(from: &Run, to: &Run) -> Report {
    let mut groups: BTreeMap<Key, Behaviour> = BTreeMap::new();
    let mut report = Report {
        from: from.title(),
        to: to.title(),
        compared: 0,
        behaviours: Vec::new(),
        only_from: Vec::new(),
        only_to: Vec::new(),
    };
    let mut timings = Timings::default();
    let ran = |run: &Run, id: &str| run.case(id).filter(|case| case.holds.is_some()).cloned();
    for id in from.ids() {
        match (ran(from, id), ran(to, id)) {
            (Some(ours), Some(theirs)) => {
                report.compared += 1;
                let example = Example { from: ours, to: theirs };
                for difference in compare::compare(&example.from, &example.to) {
                    take(&mut groups, difference, example.clone());
                }
                timings.take(&example);
            }
            (Some(_), None) => report.only_from.push(id.to_owned()),
            (None, Some(_)) => report.only_to.push(id.to_owned()),
            (None, None) => {}
        }
    }
    for (difference, example) in timings.differences() {
        take(&mut groups, difference, example);
    }
    let new = to.ids().filter(|id| from.case(id).is_none() && ran(to, id).is_some());
    report.only_to.extend(new.map(str::to_owned));
    report.only_to.sort();
    report.behaviours = groups.into_values().collect();
    for behaviour in &mut report.behaviours {
        behaviour.known = known::about(&behaviour.difference, &from.versions, &to.versions);
    }
    report.behaviours.sort_by(|one, other| {
        let rank = |of: &Behaviour| (of.severity, std::cmp::Reverse(of.cases.len()), of.difference.kind);
        rank(one).cmp(&rank(other)).then_with(|| one.difference.subject.cmp(&other.difference.subject))
    });
    report
}

fn take(groups: &mut BTreeMap<Key, Behaviour>, difference: Difference, example: Example) {
    let (severity, reason) = severity::of(&difference);
    let behaviour = groups.entry(Key::of(&difference, severity)).or_insert_with(|| Behaviour {
        difference: difference.clone(),
        severity,
        reason,
        places: BTreeSet::new(),
        cases: BTreeSet::new(),
        requirements: BTreeSet::new(),
        example: example.clone(),
        known: Vec::new(),
    });
    behaviour.cases.insert(example.from.id.clone());
    behaviour.places.extend(Some(difference.place.clone()).filter(|place| !place.is_empty()));
    behaviour.requirements.extend(example.from.requirements.iter().cloned());
    if example.length() < behaviour.example.length() {
        behaviour.difference = difference;
        behaviour.example = example;
    }
}
