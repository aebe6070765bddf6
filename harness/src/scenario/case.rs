//! A scenario with values for its matrix.

use std::collections::BTreeSet;
use std::sync::Arc;

use ssoproof_deployment::{Located, Source};

use super::file::ScenarioFile;
use super::scope::Scope;
use crate::stacks::Reach;
use crate::steps::Step;

/// A scenario file that was read and found whole.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file.
    pub source: Source,
    /// What it says.
    pub file: ScenarioFile,
    /// The steps with `use` replaced by the steps of the file it names.
    pub steps: Vec<PlannedStep>,
    /// The same for `always`.
    pub always: Vec<PlannedStep>,
}

/// A step and the file it stands in.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    /// The file.
    pub source: Source,
    /// The step.
    pub step: Located<Step>,
    /// The `use` that brought it here, in the scenario's own file.
    pub used_at: Option<ssoproof_deployment::Place>,
}

/// One test: a scenario with one value for every name of its matrix.
#[derive(Clone, Debug)]
pub struct Case {
    /// `folder/scenario/value/value`, unique in a run.
    pub id: String,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The matrix values by name, for people: `service` → `stream`.
    pub values: Vec<(String, String)>,
    /// What `$name` stands for.
    pub scope: Scope,
    /// Who acts.
    pub actors: Vec<Actor>,
    /// Why it is known to fail for now.
    pub expect_failure: Option<String>,
}

/// A persona, or nobody, at one browser.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What steps call it.
    pub name: String,
    /// The persona's name in the deployment; none for `anonymous`.
    pub persona: Option<String>,
}

/// The first case of every scenario, and the others.
pub fn by_scenario(cases: Vec<Arc<Case>>) -> (Vec<Arc<Case>>, Vec<Arc<Case>>) {
    let mut seen = BTreeSet::new();
    cases.into_iter().partition(|case| seen.insert(case.scenario.file.id.value.clone()))
}

impl Case {
    /// The verbs by which its steps change something that outlasts the actors' browsers.
    pub fn mutations(&self) -> BTreeSet<&'static str> {
        self.planned().flat_map(|planned| planned.step.mutations()).collect()
    }

    /// How far its steps reach.
    pub fn reach(&self) -> Reach {
        let reaches = self.planned().filter_map(|planned| Some(planned.step.verb()?.2.reach()));
        reaches.fold(Reach::Own, Reach::and)
    }

    /// Whether a step of it says `verb`.
    pub fn says(&self, verb: &str) -> bool {
        self.planned().any(|planned| planned.step.verb().is_some_and(|(said, _, _)| said == verb))
    }

    fn planned(&self) -> impl Iterator<Item = &PlannedStep> {
        self.scenario.steps.iter().chain(&self.scenario.always)
    }
}
