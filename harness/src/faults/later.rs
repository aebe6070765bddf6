//! Faults that come in the middle of a case. The first step that fails is a case's last, so what comes after a step that
//! every fault fails is never looked at; it is when the fault comes right before it.

use std::collections::BTreeSet;
use std::sync::Arc;

use ssoproof_deployment::Located;
use ssoproof_embedded::faults::Fault;

use super::matrix::CheckId;
use crate::runner::CaseOutcome;
use crate::scenario::{Case, PlannedStep, Scenario};
use crate::steps::{Step, SwitchFault};

/// A case with a fault that comes before one of its steps.
pub(super) struct Later {
    pub(super) case: Arc<Case>,
    /// The number of the step, from 1.
    before: usize,
}

impl Later {
    /// Lets `fault` come before the step of `case` with this number.
    pub(super) fn of(case: &Case, before: usize, fault: &'static Fault) -> Option<Self> {
        let steps = &case.scenario.steps;
        let at = before.checked_sub(1)?;
        let PlannedStep { source, step, .. } = steps.get(at)?;
        let place = step.place;
        let switch = Located { value: SwitchFault(Some(fault)), place };
        let comes = Located { value: Step { fault: Some(switch), ..Step::default() }, place };
        let mut steps = steps.clone();
        steps.insert(at, PlannedStep { source: source.clone(), step: comes, used_at: None });
        let scenario = Arc::new(Scenario { steps, ..Scenario::clone(&case.scenario) });
        Some(Self { case: Arc::new(Case { scenario, ..case.clone() }), before })
    }

    /// Whether the step waits for something, which may not come about any more.
    pub(super) fn waits(&self) -> bool {
        let step = self.case.scenario.steps.get(self.before);
        step.is_some_and(|planned| planned.step.wait_until.is_some())
    }

    /// The checks that did not hold, by their steps in the scenario.
    pub(super) fn failed(&self, outcome: &CaseOutcome) -> BTreeSet<CheckId> {
        let number = |step: usize| if step > self.before { step - 1 } else { step };
        let failed = outcome.findings.iter().filter(|found| found.must);
        failed.map(|found| CheckId { step: number(found.step), check: found.finding.check }).collect()
    }
}
