//! `ssoproof faults`.

use std::path::Path;
use std::sync::Arc;

use ssoproof_deployment::Problem;
use ssoproof_embedded::faults as catalogue;

use super::args::FaultsOptions;
use super::exit::Exit;
use super::place;
use super::threads::worker_threads;
use crate::faults::{self, Caught, FaultsError};
use crate::reports::{out, write_private};

/// Runs the chosen cases under the chosen faults.
pub(super) fn faults(options: &FaultsOptions) -> Exit {
    if options.list {
        return out(&faults::catalogue());
    }
    let (deployment, cases) = match place::chosen(&options.chosen) {
        Ok(chosen) => chosen,
        Err(problem) => {
            place::complain(problem);
            return Exit::Parse;
        }
    };
    if cases.is_empty() {
        place::complain(Problem::new("no case is selected"));
        return Exit::NothingSelected;
    }
    let chosen = if options.fault.is_empty() {
        catalogue::all().collect()
    } else {
        options.fault.iter().map(|named| named.0).collect()
    };
    let runtime = match worker_threads() {
        Ok(runtime) => runtime,
        Err(problem) => {
            place::complain(problem);
            return Exit::Internal;
        }
    };
    let bar = indicatif::ProgressBar::new(0);
    let run = faults::run(Arc::new(deployment), &cases, chosen, options.whole, |progress| {
        bar.set_length(progress.of as u64);
        bar.set_position(progress.done as u64);
        bar.set_message(progress.fault.name);
    });
    let matrix = match runtime.block_on(run) {
        Ok(matrix) => matrix,
        Err(error) => {
            place::complain(Problem::new(error.to_string()));
            return match error {
                FaultsError::Stack(_) => Exit::StackFailed,
                FaultsError::Unwell { .. } => Exit::CaseFailed,
            };
        }
    };
    bar.finish_and_clear();
    let files = [
        (&options.json, format!("{:#}\n", faults::document(&matrix))),
        (&options.html, faults::page(&matrix)),
    ];
    for (path, text) in files {
        if let Some(Err(problem)) = path.as_deref().map(|path: &Path| write_private(path, &text)) {
            place::complain(problem);
            return Exit::Internal;
        }
    }
    match out(&faults::text(&matrix, options.verbose)) {
        Exit::Ok if matrix.count(Caught::Misnamed) + matrix.count(Caught::Missed) > 0 => Exit::CaseFailed,
        // A part of the faults leaves most scenarios alone, and a part of the scenarios most faults.
        Exit::Ok if options.fault.is_empty() && !matrix.idle().is_empty() => Exit::CaseFailed,
        exit => exit,
    }
}
