//! The one stream that every report listens to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ssoproof_deployment::Deployment;

use super::outcome::CaseOutcome;
use super::verdict::Verdict;

/// What happens in a run, in order.
pub enum Event {
    /// The stack is up, and cases are about to run.
    Started(Plan),
    /// A case is over.
    CaseFinished(Arc<CaseOutcome>),
    /// Every case is over.
    Finished(Summary),
}

/// What is going to run.
#[derive(Clone)]
pub struct Plan {
    /// What is promised.
    pub deployment: Arc<Deployment>,
    /// The kind of stack.
    pub stack: &'static str,
    /// How long the stack took to start.
    pub stack_ready: Duration,
    /// How long each component of it took, when this process has started them.
    pub timings: Vec<(String, Duration)>,
    /// How many cases will run, all rounds together.
    pub cases: usize,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many cases have each verdict.
    pub verdicts: BTreeMap<&'static str, usize>,
    /// From the first case to the last.
    pub took: Duration,
}

impl Summary {
    /// How many cases have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.verdicts.get(name(verdict)).copied().unwrap_or_default()
    }

    /// Counts a case.
    pub fn add(&mut self, verdict: Verdict) {
        *self.verdicts.entry(name(verdict)).or_default() += 1;
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Warned => "warned",
        Verdict::Error => "error",
        Verdict::Skipped => "skipped",
        Verdict::Unsupported => "unsupported",
        Verdict::ExpectedFailure => "expected_failure",
        Verdict::UnexpectedPass => "unexpected_pass",
    }
}
