//! `ssoproof check`.

use super::args::Files;
use super::exit::Exit;
use super::place;
use crate::reports::out;
use crate::scenario;

/// Reads everything and shows what is wrong, one problem for every file.
pub(super) fn check(files: &Files) -> Exit {
    let deployment = match place::deployment(&files.which) {
        Ok(deployment) => deployment,
        Err(problem) => {
            place::complain(problem);
            return Exit::Parse;
        }
    };
    let (cases, problems) = scenario::check_files(&deployment, &place::paths(files, &deployment));
    if problems.is_empty() {
        return out(&format!("{cases} cases, no problem\n"));
    }
    problems.into_iter().for_each(place::complain);
    Exit::Parse
}
