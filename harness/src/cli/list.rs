//! `ssoproof list`.

use super::args::Chosen;
use super::exit::Exit;
use super::place;
use crate::reports::{err, out};
use crate::scenario::{self, LeftOut};

/// Prints the chosen cases with the requirements they prove; on standard error, what of the library does not fit.
pub(super) fn list(chosen: &Chosen) -> Exit {
    let loaded = place::deployment_of(&chosen.files)
        .and_then(|deployment| scenario::read(&deployment, &place::paths(&chosen.files, &deployment)));
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(problem) => return place::refuse(problem, Exit::Parse),
    };
    let selection = place::selection(chosen);
    let cases: Vec<_> = loaded.cases.iter().filter(|case| selection.takes(case)).collect();
    let left_out = loaded.left_out.iter().filter(|one| selection.fits(&one.scenario, &one.file));
    err(&told(&left_out.collect::<Vec<_>>()));
    if cases.is_empty() {
        return Exit::NothingSelected;
    }
    let lines: String = cases
        .iter()
        .map(|case| {
            let requirements: Vec<&str> =
                case.scenario.file.requirements.iter().map(|requirement| requirement.as_str()).collect();
            format!("{}  {}\n", case.id, requirements.join(" "))
        })
        .collect();
    out(&lines)
}

/// What is left out, and why.
fn told(left_out: &[&LeftOut]) -> String {
    let lines = left_out.iter().map(|one| format!("left out: {}, for {}\n", one.scenario, one.reason));
    lines.collect()
}
