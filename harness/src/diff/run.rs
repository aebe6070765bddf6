//! Running the cases of one side.

use std::sync::Arc;

use ssoproof_deployment::Deployment;

use super::record::CaseRecord;
use super::saved::Run;
use crate::runner::{self, Event};
use crate::scenario::Case;
use crate::stacks::{Embedded, Stack as _, StackError};

/// Runs `cases` on an embedded stack of `deployment`, `jobs` at once, and tells `over` whenever one is over.
///
/// # Errors
/// [`StackError`] when the stack does not start.
pub async fn run(
    deployment: Arc<Deployment>,
    cases: Vec<Arc<Case>>,
    jobs: usize,
    mut over: impl FnMut(),
) -> Result<Run, StackError> {
    let stack = Arc::new(Embedded::start(deployment.clone()).await?);
    let mut run = Run::new(&deployment, stack.kind());
    let options = runner::Options { jobs, fail_fast: false, repeat: 1 };
    runner::run(cases, deployment, stack, options, |event| {
        if let Event::CaseFinished(outcome) = event {
            run.add(CaseRecord::of(&outcome));
            over();
        }
    })
    .await;
    Ok(run)
}
