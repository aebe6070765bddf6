//! `ssoproof faults`.

use std::collections::BTreeSet;
use std::sync::Arc;

use ssoproof_deployment::Problem;
use ssoproof_embedded::faults as catalogue;

use super::args::FaultsOptions;
use super::exit::Exit;
use super::place;
use super::threads::runtime;
use crate::faults::{self, Caught, FaultsError, Held, Thoroughness, Told};
use crate::reports::out;

/// Runs the chosen cases under the chosen faults.
pub(super) fn faults(options: &FaultsOptions) -> Exit {
    if options.list {
        return out(&faults::catalogue());
    }
    under_faults(options).unwrap_or_else(|exit| exit)
}

fn under_faults(options: &FaultsOptions) -> Result<Exit, Exit> {
    let (deployment, cases) = place::some_chosen(&options.chosen)?;
    // A part of the faults leaves most checks alone.
    let all = options.fault.is_empty();
    // Some cases catch some faults: what the others would catch is no hole.
    let part = all && options.chosen.narrows();
    let (chosen, outside): (Vec<_>, Vec<_>) = if all {
        let proved: BTreeSet<&str> = cases
            .iter()
            .flat_map(|case| &case.scenario.file.requirements)
            .map(|requirement| requirement.as_str())
            .collect();
        // A part of the scenarios may well catch what others are there for.
        catalogue::all().partition(|fault| part || proved.contains(fault.breaks))
    } else {
        (options.fault.iter().map(|named| named.0).collect(), Vec::new())
    };
    let deployment = Arc::new(deployment);
    let held = Held::read(&deployment).map_err(|problem| place::refuse(problem, Exit::Parse))?;
    let runtime = runtime()?;
    let bar = indicatif::ProgressBar::new(0);
    let thoroughness = Thoroughness { whole: options.whole, later: all };
    let run = faults::run(deployment.clone(), &cases, chosen, thoroughness, |progress| {
        bar.set_length(progress.of as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(progress.fault.name);
    });
    let matrix = runtime.block_on(run).map_err(|error| {
        let exit = match error {
            FaultsError::Stack(_) => Exit::StackFailed,
            FaultsError::Unwell { .. } => Exit::CaseFailed,
        };
        place::refuse(Problem::new(error.to_string()), exit)
    })?;
    bar.finish_and_clear();
    place::write_report(options.json.as_deref(), || format!("{:#}\n", faults::document(&matrix)))?;
    place::write_report(options.html.as_deref(), || faults::page(&matrix))?;
    let lost = if all && !options.accept { held.lost(&matrix, !part) } else { Vec::new() };
    if options.accept {
        faults::accept(&matrix, &deployment).map_err(|problem| place::refuse(problem, Exit::Internal))?;
    }
    let missed = if part { 0 } else { matrix.count(Caught::Missed) };
    let told = Told { part, all, outside: outside.len(), verbose: options.verbose };
    Ok(match out(&faults::text(&matrix, &lost, told)) {
        Exit::Ok if matrix.count(Caught::Misnamed) + missed > 0 => Exit::CaseFailed,
        // The same goes for scenarios.
        Exit::Ok if all && !(matrix.idle().is_empty() && lost.is_empty()) => Exit::CaseFailed,
        exit => exit,
    })
}
