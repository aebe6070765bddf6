//! Running the cases of one side.

use std::sync::Arc;

use ssoproof_deployment::Deployment;

use super::record::CaseRecord;
use super::saved::Run;
use crate::runner::{self, Event, usual_jobs};
use crate::scenario::Case;
use crate::stacks::{Opened, StackChoice, StackError};

/// Runs `cases` on a stack of `deployment`, and tells `over` whenever one is over, and `waiting` when others still use it.
///
/// # Errors
/// [`StackError`] when the stack does not start, or cannot be taken down.
pub async fn run(
    deployment: Arc<Deployment>,
    cases: Vec<Arc<Case>>,
    choice: &StackChoice,
    mut over: impl FnMut(),
    waiting: impl FnOnce(),
) -> Result<Run, StackError> {
    let opened = Opened::open(deployment.clone(), choice).await?;
    let stack = opened.stack();
    let mut run = Run::new(&deployment, stack.kind());
    let options = runner::Options { jobs: usual_jobs(), fail_fast: false, repeat: 1 };
    runner::run(cases, deployment, stack, options, |event| {
        if let Event::CaseFinished(outcome) = event {
            run.add(CaseRecord::of(&outcome));
            over();
        }
    })
    .await;
    opened.close(waiting).await?;
    Ok(run)
}
