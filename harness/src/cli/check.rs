//! `ssoproof check`.

use super::args::Files;
use super::exit::Exit;
use super::place;
use crate::reports::out;
use crate::scenario::{self, Checked};

/// Reads everything and shows what is wrong, one problem for every file.
pub(super) fn check(files: &Files) -> Exit {
    let deployment = match place::deployment_of(files) {
        Ok(deployment) => deployment,
        Err(problem) => {
            place::complain(problem);
            return Exit::Parse;
        }
    };
    let Checked { loaded, problems } = scenario::check(&deployment, &place::paths(files, &deployment));
    if problems.is_empty() {
        let left_out = match loaded.left_out.len() {
            0 => String::new(),
            1 => "; 1 scenario of the library does not fit, `ssoproof list` says why".to_owned(),
            many => format!("; {many} scenarios of the library do not fit, `ssoproof list` says why"),
        };
        return out(&format!("{} cases, no problem{left_out}\n", loaded.cases.len()));
    }
    problems.into_iter().for_each(place::complain);
    Exit::Parse
}
