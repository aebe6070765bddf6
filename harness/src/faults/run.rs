//! Running the suite under faults, each on a stack of its own.
//!
//! Most faults that fail a scenario fail any case of it, so a case of each scenario is tried first. Whatever is still
//! open then, a fault that nothing has caught or a scenario that nothing has failed, is tried with every other case. In
//! the end some faults come in the middle of cases, before the steps with checks that none has failed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;
use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::Fault;

use super::later::Later;
use super::matrix::{Caught, CheckId, Column, Matrix, Row};
use super::reach::Reach;
use super::trace::{Trace, Tracer};
use crate::runner::{self, CaseOutcome, Event, Verdict, usual_jobs};
use crate::scenario::Case;
use crate::stacks::{Embedded, StackError};

/// How many faults are run at once.
const AT_ONCE: usize = 8;
/// How many cases run at once on one stack.
const JOBS: usize = 4;
/// How many cases run at once, each on a stack of its own, when a fault comes later: most of their time is waiting for
/// what does not come about.
const JOBS_LATER: usize = 64;
/// The faults that come later, and those after them for what is open then. Between them they break whatever a step may
/// rest on: redirects go round, strangers get in, nobody is known any more, every path leads to a service, no signature
/// fits.
const LATER: [&[&str]; 2] = [
    &["redirect_to_https_goes_round", "middlewares_lost"],
    &[
        "gateway_not_trusted_by_authentik",
        "session_not_stored",
        "catch_all_goes_round",
        "signed_host_is_rewritten",
    ],
];
/// How many further cases are tried before it is looked whether one has failed.
const FURTHER: usize = 48;

/// Checks by scenario.
type Checks = BTreeMap<String, BTreeSet<CheckId>>;

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The fault that is over.
    pub fault: &'static Fault,
    /// How many are over.
    pub done: usize,
    /// Of how many.
    pub of: usize,
}

/// Why there is no matrix.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    /// A stack did not start.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// What fails without a fault says nothing about one.
    #[error("{count} cases fail without any fault, `{first}` among them")]
    Unwell {
        /// The first that fails.
        first: String,
        /// How many fail.
        count: usize,
    },
}

/// How much is tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Thoroughness {
    /// Every case runs under every fault that could touch it.
    pub whole: bool,
    /// Checks that no fault fails are tried again with faults that come right before their steps.
    pub later: bool,
}

/// Runs `cases` under each of `faults` and tells `progress` whenever one is over.
///
/// # Errors
/// [`FaultsError::Unwell`] when a case fails without a fault; [`FaultsError::Stack`].
pub async fn run(
    deployment: Arc<Deployment>,
    cases: &[Arc<Case>],
    faults: Vec<&'static Fault>,
    options: Thoroughness,
    mut progress: impl FnMut(Progress),
) -> Result<Matrix, FaultsError> {
    let suite = Suite::healthy(deployment, cases).await?;
    let of = faults.len();
    let rows = faults.into_iter().enumerate().map(|(place, fault)| {
        let row = suite.row(fault, options.whole);
        async move { (place, row.await) }
    });
    let mut running = stream::iter(rows).buffer_unordered(AT_ONCE);
    let mut rows = Vec::new();
    while let Some((place, row)) = running.next().await {
        let row = row?;
        progress(Progress { fault: row.fault, done: rows.len() + 1, of });
        rows.push((place, row));
    }
    drop(running);
    rows.sort_by_key(|(place, _)| *place);
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    let mut matrix = Matrix { rows, columns: suite.columns(), later: Checks::new() };
    if !options.whole {
        suite.look_closer(&mut matrix).await?;
    }
    if options.later {
        suite.come_later(&mut matrix).await?;
    }
    Ok(matrix)
}

/// The cases that pass without a fault.
struct Suite {
    deployment: Arc<Deployment>,
    /// Where they pass.
    stack: Arc<Embedded>,
    cases: Vec<Traced>,
}

/// A case, and what it does without a fault.
struct Traced {
    case: Arc<Case>,
    /// None for one that does not pass with wires between the parts: every fault could touch it.
    trace: Option<Trace>,
}

impl Suite {
    async fn healthy(deployment: Arc<Deployment>, cases: &[Arc<Case>]) -> Result<Self, FaultsError> {
        let stack = Arc::new(Embedded::start(deployment.clone()).await?);
        let tracer = Arc::new(Tracer::new(stack.clone(), deployment.clone()));
        let offered = cases.iter().filter(|case| runner::unsupported(case, stack.as_ref()).is_none());
        let tasks = offered.map(|case| {
            let (tracer, kept) = (tracer.clone(), case.clone());
            async move { (case.clone(), tokio::spawn(async move { tracer.take(kept).await }).await) }
        });
        let mut taken = stream::iter(tasks).buffered(usual_jobs());
        let (mut traced, mut untraced) = (Vec::new(), Vec::new());
        while let Some((case, taken)) = taken.next().await {
            match taken.map(Result::ok) {
                Ok(Some((outcome, _))) if outcome.verdict == Verdict::Unsupported => {}
                Ok(Some((outcome, trace))) if !outcome.verdict.fails_run() => {
                    traced.push(Traced { case, trace: Some(trace) });
                }
                _ => untraced.push(case),
            }
        }
        drop(taken);
        let mut failed = Vec::new();
        on(stack.clone(), deployment.clone(), untraced, JOBS, |outcome| {
            if outcome.verdict.fails_run() {
                failed.push(outcome.case.id.clone());
            } else if outcome.verdict != Verdict::Unsupported {
                traced.push(Traced { case: outcome.case.clone(), trace: None });
            }
        })
        .await;
        match failed.first() {
            Some(first) => Err(FaultsError::Unwell { first: first.clone(), count: failed.len() }),
            None => Ok(Self { deployment, stack, cases: traced }),
        }
    }

    fn columns(&self) -> Vec<Column> {
        let mut columns: BTreeMap<&str, Column> = BTreeMap::new();
        for Traced { case, .. } in &self.cases {
            let column = columns.entry(scenario(case)).or_insert_with(|| Column {
                scenario: scenario(case).to_owned(),
                cases: 0,
                checks: CheckId::all_of(&case.scenario),
            });
            column.cases += 1;
        }
        columns.into_values().collect()
    }

    /// What happens under `fault`.
    async fn row(&self, fault: &'static Fault, whole: bool) -> Result<Row, StackError> {
        let mut row = Row::new(fault);
        let Some(stack) = self.stack(&mut row).await? else { return Ok(row) };
        let reach = Reach::of(fault, &self.deployment, &self.stack, &stack);
        let (first, mut rest) = self.of_each_scenario(&reach, whole);
        on(stack.clone(), self.deployment.clone(), first, JOBS, |outcome| row.take(outcome)).await;
        while row.caught() == Caught::Missed && !rest.is_empty() {
            let some: Vec<_> = rest.drain(..FURTHER.min(rest.len())).collect();
            let some = some.into_iter().filter(|traced| traced.touched(&reach));
            let some = some.map(|traced| traced.case.clone()).collect();
            on(stack.clone(), self.deployment.clone(), some, JOBS, |outcome| row.take(outcome)).await;
        }
        Ok(row)
    }

    /// The first case of each scenario that is within `reach`, with `whole` every one; and those not looked at.
    fn of_each_scenario(&self, reach: &Reach<'_>, whole: bool) -> (Vec<Arc<Case>>, Vec<&Traced>) {
        let (mut first, mut rest, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for traced in &self.cases {
            if !whole && seen.contains(scenario(&traced.case)) {
                rest.push(traced);
            } else if traced.touched(reach) {
                seen.insert(scenario(&traced.case));
                first.push(traced.case.clone());
            }
        }
        (first, rest)
    }

    /// A stack with the row's fault; none where the deployment has nothing for it to break.
    async fn stack(&self, row: &mut Row) -> Result<Option<Arc<Embedded>>, StackError> {
        match Embedded::start_with(self.deployment.clone(), Some(row.fault)).await {
            Ok(stack) => Ok(Some(Arc::new(stack))),
            Err(error @ StackError::Fault { .. }) => {
                row.missed = Some(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Tries every other case of the scenarios that no fault has failed, first under the faults that should.
    async fn look_closer(&self, matrix: &mut Matrix) -> Result<(), StackError> {
        let mut idle: BTreeSet<String> = matrix.idle().into_iter().map(str::to_owned).collect();
        for likely in [true, false] {
            for row in &mut matrix.rows {
                let open =
                    |case: &Case| idle.contains(scenario(case)) && proves(case, row.fault.breaks) == likely;
                let any = self.cases.iter().any(|traced| open(&traced.case));
                if !any || row.caught() == Caught::Inapplicable {
                    continue;
                }
                let Some(stack) = self.stack(row).await? else { continue };
                let reach = Reach::of(row.fault, &self.deployment, &self.stack, &stack);
                let (_, rest) = self.of_each_scenario(&reach, false);
                let cases = rest.into_iter().filter(|traced| open(&traced.case) && traced.touched(&reach));
                let cases = cases.map(|traced| traced.case.clone()).collect();
                on(stack, self.deployment.clone(), cases, JOBS, |outcome| row.take(outcome)).await;
                idle.retain(|scenario| !row.failed.contains_key(scenario));
            }
        }
        Ok(())
    }

    /// Lets faults come right before the steps of which none has failed every check. What fails then is seen to be able
    /// to; whether a fault is caught and named is for those that are there from the start.
    async fn come_later(&self, matrix: &mut Matrix) -> Result<(), StackError> {
        let idle = |column: &Column| column.checks.difference(&matrix.failed(column)).copied().collect();
        let mut open: Checks =
            matrix.columns.iter().map(|column| (column.scenario.clone(), idle(column))).collect();
        let stack = Arc::new(Embedded::impatient(self.deployment.clone()).await?);
        for names in LATER {
            let faults: Vec<&'static Fault> = matrix
                .rows
                .iter()
                .filter(|row| names.contains(&row.fault.name) && row.caught() != Caught::Inapplicable)
                .map(|row| row.fault)
                .collect();
            let steps: Vec<(&Case, usize)> = self.cases_of(&open).collect();
            let laters = faults
                .iter()
                .flat_map(|fault| steps.iter().filter_map(|(case, step)| Later::of(case, *step, fault)));
            let mut laters: Vec<Later> = laters.collect();
            // What takes longest begins first.
            laters.sort_by_key(|later| !later.waits());
            let cases = laters.iter().map(|later| later.case.clone()).collect();
            on(stack.clone(), self.deployment.clone(), cases, JOBS_LATER, |outcome| {
                let later = laters.iter().find(|later| Arc::ptr_eq(&later.case, &outcome.case));
                let (Some(later), Some(open)) = (later, open.get_mut(scenario(&outcome.case))) else {
                    return;
                };
                let failed: BTreeSet<CheckId> = later.failed(outcome).intersection(open).copied().collect();
                open.retain(|check| !failed.contains(check));
                if !failed.is_empty() {
                    matrix.later.entry(scenario(&outcome.case).to_owned()).or_default().extend(failed);
                }
            })
            .await;
        }
        Ok(())
    }

    /// The first case of every scenario in `open`, with the number of each step that has a check there.
    fn cases_of<'s>(&'s self, open: &'s Checks) -> impl Iterator<Item = (&'s Case, usize)> {
        open.iter().flat_map(|(id, checks)| {
            let first = self.cases.iter().find(|traced| scenario(&traced.case) == id);
            let steps: BTreeSet<usize> = checks.iter().map(|check| check.step).collect();
            steps.into_iter().filter_map(move |step| Some((first?.case.as_ref(), step)))
        })
    }
}

impl Traced {
    fn touched(&self, reach: &Reach<'_>) -> bool {
        self.trace.as_ref().is_none_or(|trace| reach.touches(trace))
    }
}

fn scenario(case: &Case) -> &str {
    case.scenario.file.id.as_str()
}

fn proves(case: &Case, requirement: &str) -> bool {
    case.scenario.file.requirements.iter().any(|of| of.as_str() == requirement)
}

/// Runs `cases` on `stack` and tells `over` of each.
async fn on(
    stack: Arc<Embedded>,
    deployment: Arc<Deployment>,
    cases: Vec<Arc<Case>>,
    jobs: usize,
    mut over: impl FnMut(&CaseOutcome),
) {
    let options = runner::Options { jobs, fail_fast: false, repeat: 1 };
    runner::run(cases, deployment, stack, options, |event| {
        if let Event::CaseFinished(outcome) = event {
            over(&outcome);
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_later_can_come_while_a_stack_runs() {
        for name in LATER.concat() {
            let fault = ssoproof_embedded::faults::find(name);
            assert!(fault.is_some_and(Fault::comes_and_goes), "{name}");
        }
    }
}
