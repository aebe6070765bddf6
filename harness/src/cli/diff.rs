//! `ssoproof diff`.

use std::sync::Arc;

use ssoproof_deployment::Problem;

use super::args::{Chosen, DiffOptions};
use super::exit::Exit;
use super::place;
use super::threads::runtime;
use crate::diff::{self, Run, Side, Verdict};
use crate::reports::out;
use crate::runner::usual_jobs;

/// Compares the chosen cases on both sides.
pub(super) fn diff(options: &DiffOptions) -> Exit {
    compared(options).unwrap_or_else(|exit| exit)
}

fn compared(options: &DiffOptions) -> Result<Exit, Exit> {
    let from = run_of(&options.from, &options.chosen)?;
    let to = run_of(&options.to, &options.chosen)?;
    if from.ids().next().is_none() && to.ids().next().is_none() {
        return Err(place::none_selected());
    }
    let report = diff::report(&from, &to);
    place::write_report(options.json.as_deref(), || format!("{:#}\n", diff::document(&report)))?;
    place::write_report(options.html.as_deref(), || diff::page(&report))?;
    Ok(match (out(&diff::text(&report, !options.brief)), report.verdict()) {
        (Exit::Ok, Verdict::Broken) => Exit::CaseFailed,
        (Exit::Ok, Verdict::Changed) if options.strict => Exit::CaseFailed,
        (exit, _) => exit,
    })
}

/// The run of one side: read, or made.
fn run_of(side: &Side, chosen: &Chosen) -> Result<Run, Exit> {
    let mut deployment =
        place::deployment_of(&chosen.files).map_err(|problem| place::refuse(problem, Exit::Parse))?;
    side.apply(&mut deployment);
    let cases =
        place::cases(&mut deployment, chosen).map_err(|problem| place::refuse(problem, Exit::Parse))?;
    if let Side::Saved(path) = side {
        let mut run =
            diff::load(path).map_err(|error| place::refuse(Problem::new(error.to_string()), Exit::Parse))?;
        if chosen.narrows() {
            run.retain(|id| cases.iter().any(|case| case.id == id));
        }
        return Ok(run);
    }
    let runtime = runtime()?;
    let bar = indicatif::ProgressBar::new(cases.len() as u64);
    let run = runtime.block_on(diff::run(Arc::new(deployment), cases, usual_jobs(), || bar.inc(1)));
    bar.finish_and_clear();
    run.map_err(|error| place::refuse(Problem::new(error.to_string()), Exit::StackFailed))
}
