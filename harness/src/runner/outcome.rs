//! What is known of a case when it is over.

use std::sync::Arc;
use std::time::Duration;

use ssoproof_deployment::{Place, Source};

use super::verdict::Verdict;
use crate::checks::Finding;
use crate::diagnoses::Diagnosed;
use crate::evidence::{Ledger, Redactor};
use crate::scenario::Case;

/// A case that is over.
#[derive(Debug)]
pub struct CaseOutcome {
    /// The case.
    pub case: Arc<Case>,
    /// Which round of `--repeat` it was, from 1.
    pub round: usize,
    /// What it came to.
    pub verdict: Verdict,
    /// What is not as expected, MUSTs first.
    pub findings: Vec<StepFinding>,
    /// What broke in the harness, or why it was not run.
    pub reason: Option<String>,
    /// Where in the scenario the reason stands.
    pub reason_at: Option<(Source, Place)>,
    /// Causes that were recognised, the likeliest first.
    pub diagnoses: Vec<Diagnosed>,
    /// Every hop.
    pub ledger: Ledger,
    /// The last log lines of the components, when it did not pass.
    pub logs: Vec<(String, Vec<String>)>,
    /// Knows every secret of the ledger.
    pub redactor: Redactor,
    /// From the first step to the last.
    pub took: Duration,
}

/// A finding and the step it was made in.
#[derive(Clone, Debug)]
pub struct StepFinding {
    /// The file the step stands in.
    pub source: Source,
    /// The `use` in the scenario that brought the step here.
    pub used_at: Option<Place>,
    /// The step's number, from 1.
    pub step: usize,
    /// The step's verb.
    pub verb: &'static str,
    /// What the step is for, when it says.
    pub name: Option<String>,
    /// Whether it must hold.
    pub must: bool,
    /// The finding.
    pub finding: Finding,
}
