//! What is known of a case when it is over.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ssoproof_deployment::{Place, Source};

use super::verdict::Verdict;
use crate::checks::Finding;
use crate::diagnoses::Diagnosed;
use crate::evidence::{Ledger, Redactor};
use crate::scenario::Case;
use crate::stacks::Secrets;
use crate::steps::{Figure, Severity};

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
    /// The dangers that are there by design, in the order of the steps.
    pub risks: Vec<StepRisk>,
    /// What was measured, in the order of the steps.
    pub figures: Vec<StepFigure>,
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
    /// The stack's secrets, and from them and the hops what replaces secrets in reports.
    redaction: (Option<Arc<Secrets>>, OnceLock<Redactor>),
    /// From the first step to the last.
    pub took: Duration,
}

impl CaseOutcome {
    /// A case that was not tried.
    pub fn untried(case: Arc<Case>, round: usize, verdict: Verdict) -> Self {
        Self {
            case,
            round,
            verdict,
            findings: Vec::new(),
            risks: Vec::new(),
            figures: Vec::new(),
            reason: None,
            reason_at: None,
            diagnoses: Vec::new(),
            ledger: Ledger::default(),
            logs: Vec::new(),
            redaction: (None, OnceLock::new()),
            took: Duration::ZERO,
        }
    }

    /// The same outcome of a case that ran on a stack with these secrets.
    pub(super) fn with_secrets(mut self, secrets: Arc<Secrets>) -> Self {
        self.redaction.0 = Some(secrets);
        self
    }

    /// What replaces every secret of the case by its token. Most cases pass and are never shown, so it is made
    /// when it is first asked for.
    pub fn redactor(&self) -> &Redactor {
        let (secrets, made) = &self.redaction;
        made.get_or_init(|| {
            secrets.as_ref().map(|secrets| Redactor::new(&self.ledger, secrets)).unwrap_or_default()
        })
    }
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

/// Something that a step has measured.
#[derive(Clone, Debug)]
pub struct StepFigure {
    /// The step's number, from 1.
    pub step: usize,
    /// What it has measured.
    pub figure: Figure,
}

/// A danger that is there by design, as a step has shown.
#[derive(Clone, Debug)]
pub struct StepRisk {
    /// The file the step stands in.
    pub source: Source,
    /// Where in it the risk stands.
    pub place: Place,
    /// How bad it is.
    pub severity: Severity,
    /// What can be done.
    pub text: String,
}
