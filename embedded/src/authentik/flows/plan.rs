//! Plans: which stages a browser goes through, and where it goes after them.

use std::collections::BTreeMap;

use super::super::model::{Flow, Plan, PlannedStage};

/// What a flow is begun with by another part of the program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// The slug of the application in whose name the flow runs.
    pub(crate) application: Option<String>,
    /// Where the browser goes when the flow is done; empty leads to `/`.
    pub(crate) next: String,
    /// The whole query of the flow's URL, encoded, `next` included; empty gives a URL without one.
    pub(crate) query: String,
    /// Whether the flow ends on the session-end page.
    pub(crate) session_end: bool,
    /// Stages that come after those bound to the flow.
    pub(crate) stages: Vec<PlannedStage>,
}

impl Plan {
    /// The plan of `flow` from its first stage.
    pub(crate) fn new(flow: &Flow, start: &Start) -> Self {
        let mut stages: Vec<_> = flow.stages.iter().copied().map(PlannedStage::Bound).collect();
        stages.extend(start.stages.iter().cloned());
        if start.session_end {
            stages.push(PlannedStage::SessionEnd);
        }
        Self {
            flow: flow.pk,
            stages,
            pending: None,
            errors: BTreeMap::new(),
            failures: 0,
            next: start.next.clone(),
            application: start.application.clone(),
        }
    }
}
