//! `ssoproof diff`.

use std::path::Path;
use std::sync::Arc;

use ssoproof_deployment::Problem;

use super::args::{Chosen, DiffOptions};
use super::exit::Exit;
use super::place;
use super::threads::worker_threads;
use crate::diff::{self, Run, Side, Verdict};
use crate::reports::{out, write_private};

/// How many cases run at once for every core.
const JOBS: usize = 4;

/// Compares the chosen cases on both sides.
pub(super) fn diff(options: &DiffOptions) -> Exit {
    let sides = [&options.from, &options.to].map(|side| run_of(side, &options.chosen));
    let [from, to] = match sides {
        [Ok(from), Ok(to)] => [from, to],
        [Err(exit), _] | [_, Err(exit)] => return exit,
    };
    if from.ids().next().is_none() && to.ids().next().is_none() {
        place::complain(Problem::new("no case is selected"));
        return Exit::NothingSelected;
    }
    let report = diff::report(&from, &to);
    let files =
        [(&options.json, format!("{:#}\n", diff::document(&report))), (&options.html, diff::page(&report))];
    for (path, text) in files {
        if let Some(Err(problem)) = path.as_deref().map(|path: &Path| write_private(path, &text)) {
            place::complain(problem);
            return Exit::Internal;
        }
    }
    match (out(&diff::text(&report, !options.brief)), report.verdict()) {
        (Exit::Ok, Verdict::Broken) => Exit::CaseFailed,
        (Exit::Ok, Verdict::Changed) if options.strict => Exit::CaseFailed,
        (exit, _) => exit,
    }
}

/// The run of one side: read, or made.
fn run_of(side: &Side, chosen: &Chosen) -> Result<Run, Exit> {
    let complain = |problem: Problem, exit: Exit| {
        place::complain(problem);
        exit
    };
    let mut deployment =
        place::deployment(&chosen.files.which).map_err(|problem| complain(problem, Exit::Parse))?;
    side.apply(&mut deployment);
    let cases = place::cases(&deployment, chosen).map_err(|problem| complain(problem, Exit::Parse))?;
    if let Side::Saved(path) = side {
        let mut run =
            diff::load(path).map_err(|error| complain(Problem::new(error.to_string()), Exit::Parse))?;
        if chosen.narrows() {
            run.retain(|id| cases.iter().any(|case| case.id == id));
        }
        return Ok(run);
    }
    let runtime = worker_threads().map_err(|problem| complain(problem, Exit::Internal))?;
    let bar = indicatif::ProgressBar::new(cases.len() as u64);
    let jobs = std::thread::available_parallelism().map_or(JOBS, |cores| cores.get() * JOBS);
    let run = runtime.block_on(diff::run(Arc::new(deployment), cases, jobs, || bar.inc(1)));
    bar.finish_and_clear();
    run.map_err(|error| complain(Problem::new(error.to_string()), Exit::StackFailed))
}
