//! `ssoproof run`.

use std::sync::Arc;
use std::time::Instant;

use ssoproof_deployment::Problem;

use super::args::RunOptions;
use super::exit::Exit;
use super::place;
use super::threads::runtime;
use crate::diff::{self, CaseRecord, Run};
use crate::reports::Reports;
use crate::runner::{self, Event, Options, Plan, Verdict};
use crate::stacks::{Opened, StackChoice, StackError};

/// Starts the stack, runs the chosen cases and reports.
pub(super) fn run(options: &RunOptions) -> Exit {
    on_stack(options).unwrap_or_else(|exit| exit)
}

fn on_stack(options: &RunOptions) -> Result<Exit, Exit> {
    let (mut deployment, cases) = place::some_chosen(&options.chosen)?;
    let runtime = runtime()?;
    let misused = |problem| place::refuse(problem, Exit::Usage);
    let mut reports = Reports::new(options.json.as_deref(), options.junit.as_deref()).map_err(misused)?;
    let choice = options.stack.choice(&mut deployment).map_err(misused)?;
    let deployment = Arc::new(deployment);
    let exit = runtime.block_on(async {
        let started = Instant::now();
        let opened = match Opened::open(deployment.clone(), &choice).await {
            Ok(opened) => opened,
            Err(StackError::Interrupted) => return Exit::Interrupted,
            Err(error) => {
                place::complain(Problem::new(error.to_string()));
                return Exit::StackFailed;
            }
        };
        let stack = opened.stack();
        let repeat = usize::try_from(options.repeat).unwrap_or(1);
        reports.take(&Event::Started(Plan {
            deployment: deployment.clone(),
            stack: stack.kind(),
            stack_ready: started.elapsed(),
            timings: opened.timings(),
            cases: cases.len() * repeat,
        }));
        let plan = Options {
            jobs: options.jobs.map_or_else(|| default_jobs(&choice), usize::from),
            fail_fast: options.fail_fast,
            repeat,
        };
        let mut saved = options.save.as_ref().map(|path| (path, Run::new(&deployment, stack.kind())));
        let summary = runner::run(cases, deployment.clone(), stack, plan, |event| {
            if let (Some((_, run)), Event::CaseFinished(outcome)) = (&mut saved, &event) {
                run.add(CaseRecord::of(outcome));
            }
            reports.take(&event);
        })
        .await;
        if let Err(error) = opened.close(place::waiting).await {
            place::complain(Problem::new(format!("failed to take the stack down: {error}")));
            return Exit::Internal;
        }
        if let Some(Err(problem)) = saved.map(|(path, run)| diff::write(&run, path)) {
            place::complain(problem);
            return Exit::Internal;
        }
        if summary.count(Verdict::Error) > 0 && summary.count(Verdict::Failed) == 0 {
            Exit::Internal
        } else if summary.count(Verdict::Failed) > 0 {
            Exit::CaseFailed
        } else if summary.count(Verdict::UnexpectedPass) > 0 {
            Exit::UnexpectedPass
        } else {
            Exit::Ok
        }
    });
    reports.finish().map_err(|problem| place::refuse(problem, Exit::Internal))?;
    Ok(exit)
}

/// A stack that others use is asked gently.
fn default_jobs(choice: &StackChoice) -> usize {
    match choice {
        StackChoice::Attach(_) => 4,
        _ => runner::usual_jobs(),
    }
}
