//! Faults by scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ssoproof_embedded::faults::Fault;

use crate::runner::CaseOutcome;
use crate::scenario::Scenario;

/// What the suite did under every fault.
#[derive(Debug, Default)]
pub struct Matrix {
    /// A row for each fault, in the order of the catalogue.
    pub rows: Vec<Row>,
    /// A column for each scenario that ran, in the order of their ids.
    pub columns: Vec<Column>,
    /// The checks that only a fault fails that comes right before their steps, by scenario.
    pub later: BTreeMap<String, BTreeSet<CheckId>>,
}

/// A scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its id.
    pub scenario: String,
    /// How many cases of it ran.
    pub cases: usize,
    /// What it expects, step by step.
    pub checks: BTreeSet<CheckId>,
}

/// A check of a scenario that must hold: `2.backend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckId {
    /// The number of its step, from 1.
    pub step: usize,
    /// Its key.
    pub check: &'static str,
}

impl fmt::Display for CheckId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.step, self.check)
    }
}

impl CheckId {
    /// Every check of `scenario`.
    pub(super) fn all_of(scenario: &Scenario) -> BTreeSet<Self> {
        let steps = scenario.steps.iter().zip(1..);
        steps
            .filter_map(|(planned, step)| Some((step, planned.step.expected()?)))
            .flat_map(|(step, expect)| expect.keys().into_iter().map(move |check| Self { step, check }))
            .collect()
    }
}

/// What the suite did under one fault.
#[derive(Debug)]
pub struct Row {
    /// The fault.
    pub fault: &'static Fault,
    /// How many cases ran under it: those that it could not touch pass without.
    pub tried: usize,
    /// What was failed, by scenario.
    pub failed: BTreeMap<String, Tally>,
    /// Why the stack could not have the fault: the deployment has nothing for it to break.
    pub missed: Option<String>,
}

/// The failing cases of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub cases: usize,
    /// Their first diagnoses; empty text for none.
    pub causes: BTreeMap<&'static str, usize>,
    /// One of each cause.
    pub examples: BTreeMap<&'static str, String>,
    /// The checks that did not hold.
    pub checks: BTreeSet<CheckId>,
}

/// What a row comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// Cases fail, and no cause is named by more of them than the right one.
    Named,
    /// Cases fail, and most of them name another cause, or none.
    Misnamed,
    /// Nothing fails.
    Missed,
    /// The deployment has nothing for the fault to break.
    Inapplicable,
}

impl Row {
    /// A row in which nothing has failed yet.
    pub fn new(fault: &'static Fault) -> Self {
        Self { fault, tried: 0, failed: BTreeMap::new(), missed: None }
    }

    /// Takes a case that is over.
    pub(super) fn take(&mut self, outcome: &CaseOutcome) {
        self.tried += 1;
        if !outcome.verdict.fails_run() {
            return;
        }
        let tally = self.failed.entry(outcome.case.scenario.file.id.value.clone()).or_default();
        let cause = outcome.diagnoses.first().map_or("", |diagnosed| diagnosed.code);
        tally.cases += 1;
        *tally.causes.entry(cause).or_default() += 1;
        tally.examples.entry(cause).or_insert_with(|| outcome.case.id.clone());
        let broken = outcome.findings.iter().filter(|found| found.must);
        tally.checks.extend(broken.map(|found| CheckId { step: found.step, check: found.finding.check }));
    }

    /// How many cases failed.
    pub fn cases(&self) -> usize {
        self.failed.values().map(|tally| tally.cases).sum()
    }

    /// The first diagnoses of all failing cases, the commonest first; empty text for none.
    pub fn causes(&self) -> Vec<(&'static str, usize)> {
        let mut causes: BTreeMap<&'static str, usize> = BTreeMap::new();
        for (cause, cases) in self.failed.values().flat_map(|tally| &tally.causes) {
            *causes.entry(cause).or_default() += cases;
        }
        let mut causes: Vec<_> = causes.into_iter().collect();
        causes.sort_by_key(|(_, cases)| std::cmp::Reverse(*cases));
        causes
    }

    /// How many failing cases name the cause that was expected.
    pub fn named(&self) -> usize {
        self.causes().into_iter().filter(|(cause, _)| self.names(cause)).map(|(_, cases)| cases).sum()
    }

    /// Whether `cause` is what was expected, or says the same from the other end: of an id token without groups Grafana's
    /// cases tell what its expression makes of that.
    pub fn names(&self, cause: &str) -> bool {
        cause == self.fault.diagnosis || (cause == "SSO-G03" && self.fault.diagnosis == "SSO-O03")
    }

    /// What it comes to.
    pub fn caught(&self) -> Caught {
        let others = self.causes().into_iter().filter(|(cause, _)| !self.names(cause));
        let others = others.map(|(_, cases)| cases).max().unwrap_or_default();
        match (&self.missed, self.cases(), self.named()) {
            (Some(_), ..) => Caught::Inapplicable,
            (None, 0, _) => Caught::Missed,
            (None, _, named) if named > 0 && named >= others => Caught::Named,
            _ => Caught::Misnamed,
        }
    }
}

impl Matrix {
    /// The scenarios that no fault fails.
    pub fn idle(&self) -> Vec<&str> {
        let fails = |scenario: &str| self.rows.iter().any(|row| row.failed.contains_key(scenario));
        self.columns
            .iter()
            .map(|column| column.scenario.as_str())
            .filter(|scenario| !fails(scenario))
            .collect()
    }

    /// The checks of `column` that some fault fails.
    pub fn failed(&self, column: &Column) -> BTreeSet<CheckId> {
        let of = self.rows.iter().filter_map(|row| row.failed.get(&column.scenario));
        let later = self.later.get(&column.scenario);
        of.map(|tally| &tally.checks).chain(later).flatten().copied().collect()
    }

    /// How many checks some fault fails, and how many there are.
    pub fn checks(&self) -> (usize, usize) {
        let failed = self.columns.iter().map(|column| self.failed(column).len()).sum();
        (failed, self.columns.iter().map(|column| column.checks.len()).sum())
    }

    /// How many checks only a fault fails that comes right before their steps.
    pub fn failed_later(&self) -> usize {
        self.later.values().map(BTreeSet::len).sum()
    }

    /// How many rows come to `caught`.
    pub fn count(&self, caught: Caught) -> usize {
        self.rows.iter().filter(|row| row.caught() == caught).count()
    }
}
