//! `ssoproof diff`.

use std::sync::Arc;

use ssoproof_deployment::{Deployment, Problem};

use super::args::DiffOptions;
use super::exit::Exit;
use super::place;
use super::stack::{Served, Started};
use super::threads::runtime;
use crate::diff::{self, Run, Side, Verdict};
use crate::reports::out;
use crate::stacks::{StackChoice, StackError};

/// Compares the chosen cases on both sides.
pub(super) fn diff(options: &DiffOptions) -> Exit {
    compared(options).unwrap_or_else(|exit| exit)
}

fn compared(options: &DiffOptions) -> Result<Exit, Exit> {
    // What is wrong with either is known before one runs.
    let [from, to] = [prepared(&options.from, options)?, prepared(&options.to, options)?];
    let (from, to) = (from.run(options)?, to.run(options)?);
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

/// A side that can be run.
struct Prepared<'a> {
    side: &'a Side,
    deployment: Deployment,
    choice: StackChoice,
}

fn prepared<'a>(side: &'a Side, options: &DiffOptions) -> Result<Prepared<'a>, Exit> {
    let misused = |message: String| place::refuse(Problem::new(message), Exit::Usage);
    let mut deployment =
        place::deployment_of(&options.chosen.files).map_err(|problem| place::refuse(problem, Exit::Parse))?;
    side.apply(&mut deployment);
    let choice = match options.stack {
        Started::Embedded => {
            side.embedded().map_err(|error| misused(error.to_string()))?;
            StackChoice::Embedded(None)
        }
        Started::Containers => {
            let named: Vec<&str> = side.named().collect();
            if named.contains(&"authentik") && options.containers.authentik == Served::Embedded {
                return Err(misused("`--authentik embedded` leaves no Authentik to compare".to_owned()));
            }
            let containers = options.containers.options_besides(&deployment, &named);
            StackChoice::Containers(Box::new(containers.map_err(|problem| misused(problem.to_string()))?))
        }
    };
    Ok(Prepared { side, deployment, choice })
}

impl Prepared<'_> {
    /// The run of this side: read, or made.
    fn run(mut self, options: &DiffOptions) -> Result<Run, Exit> {
        let cases = place::cases(&mut self.deployment, &options.chosen)
            .map_err(|problem| place::refuse(problem, Exit::Parse))?;
        if let Side::Saved(path) = self.side {
            let run = diff::load(path);
            let mut run = run.map_err(|error| place::refuse(Problem::new(error.to_string()), Exit::Parse))?;
            if options.chosen.narrows() {
                run.retain(|id| cases.iter().any(|case| case.id == id));
            }
            return Ok(run);
        }
        let runtime = runtime()?;
        let bar = indicatif::ProgressBar::new(cases.len() as u64);
        let over = || bar.inc(1);
        let run = diff::run(Arc::new(self.deployment), cases, &self.choice, over, place::waiting);
        let run = runtime.block_on(run);
        bar.finish_and_clear();
        let mut run = run.map_err(|error| match error {
            StackError::Interrupted => Exit::Interrupted,
            error => place::refuse(Problem::new(error.to_string()), Exit::StackFailed),
        })?;
        run.with = self.side.to_string();
        Ok(run)
    }
}
