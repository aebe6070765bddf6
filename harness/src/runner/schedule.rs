//! Who runs when: cases side by side, those that disturb others on a stack of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures::StreamExt as _;
use futures::stream;
use ssoproof_deployment::Deployment;

use super::case::{run_case, unsupported};
use super::events::{Event, Summary};
use super::outcome::CaseOutcome;
use super::verdict::Verdict;
use crate::scenario::Case;
use crate::stacks::Stack;

/// How cases are run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many run at once.
    pub jobs: usize,
    /// Whether cases that have not begun are skipped once one has failed.
    pub fail_fast: bool,
    /// How many times every case runs.
    pub repeat: usize,
}

/// How many cases keep this machine busy on a stack of its own: they wait for the network most of the time.
pub fn usual_jobs() -> usize {
    std::thread::available_parallelism().map_or(4, |cores| cores.get() * 4)
}

/// Runs every case and tells `events` what happens; returns what it came to.
pub async fn run(
    cases: Vec<Arc<Case>>,
    deployment: Arc<Deployment>,
    stack: Arc<dyn Stack>,
    options: Options,
    mut events: impl FnMut(Event),
) -> Summary {
    let started = Instant::now();
    let mut summary = Summary::default();
    let failed = Arc::new(AtomicBool::new(false));
    let rounds = (1..=options.repeat).flat_map(|round| cases.iter().map(move |case| (round, case.clone())));
    let tasks = rounds.map(|(round, case)| {
        let (deployment, stack, failed) = (deployment.clone(), stack.clone(), failed.clone());
        async move {
            if options.fail_fast && failed.load(Ordering::Relaxed) {
                let mut outcome = CaseOutcome::untried(case, round, Verdict::Skipped);
                outcome.reason = Some("a case failed before".to_owned());
                return outcome;
            }
            let kept = case.clone();
            // A task of its own: cases share the worker threads, and a panic stays in its case.
            match tokio::spawn(on_its_stack(case, round, deployment, stack)).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    let mut outcome = CaseOutcome::untried(kept, round, Verdict::Error);
                    outcome.reason = Some(format!("the harness broke: {error}"));
                    outcome
                }
            }
        }
    });
    let mut running = stream::iter(tasks).buffer_unordered(options.jobs.max(1));
    while let Some(outcome) = running.next().await {
        if outcome.verdict.fails_run() {
            failed.store(true, Ordering::Relaxed);
        }
        summary.add(outcome.verdict);
        events(Event::CaseFinished(Arc::new(outcome)));
    }
    summary.took = started.elapsed();
    events(Event::Finished(summary.clone()));
    summary
}

/// Borrows a stack that fits the case and runs it there.
pub async fn on_its_stack(
    case: Arc<Case>,
    round: usize,
    deployment: Arc<Deployment>,
    stack: Arc<dyn Stack>,
) -> CaseOutcome {
    if let Some(reason) = unsupported(&case, stack.as_ref()) {
        let mut outcome = CaseOutcome::untried(case, round, Verdict::Unsupported);
        outcome.reason = Some(reason);
        return outcome;
    }
    let loan = match stack.lend(case.reach()).await {
        Ok(loan) => loan,
        Err(error) => {
            let mut outcome = CaseOutcome::untried(case, round, Verdict::Error);
            outcome.reason = Some(error.to_string());
            return outcome;
        }
    };
    let mut outcome = run_case(case, round, &deployment, loan.stack()).await;
    if let Err(error) = loan.give_back(&outcome.ledger).await {
        outcome.verdict = Verdict::Error;
        outcome.reason = Some(format!("the stack is not as it was before the case: {error}"));
    }
    outcome
}
