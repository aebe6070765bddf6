//! `ssoproof list`.

use super::args::Chosen;
use super::exit::Exit;
use super::place;
use crate::reports::out;

/// Prints the chosen cases with the requirements they prove.
pub(super) fn list(chosen: &Chosen) -> Exit {
    let cases = match place::chosen(chosen) {
        Ok((_, cases)) => cases,
        Err(problem) => {
            place::complain(problem);
            return Exit::Parse;
        }
    };
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
