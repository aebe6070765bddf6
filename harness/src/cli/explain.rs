//! `ssoproof explain`.

use super::args::ExplainOptions;
use super::exit::Exit;
use super::place;
use crate::diagnoses;
use crate::reports::out;
use ssoproof_deployment::{Problem, suggestion};

/// Prints what a diagnosis means, or the first line of every one.
pub(super) fn explain(options: &ExplainOptions) -> Exit {
    let Some(code) = &options.code else {
        let lines: String = diagnoses::ALL
            .iter()
            .map(|diagnosis| {
                let first = diagnosis.explanation().lines().next().unwrap_or_default();
                format!("{}  {first}\n", diagnosis.code())
            })
            .collect();
        return out(&lines);
    };
    let known = diagnoses::ALL.iter().find(|diagnosis| diagnosis.code().eq_ignore_ascii_case(code));
    match known {
        Some(diagnosis) => out(&format!("{}  {}\n", diagnosis.code(), diagnosis.explanation())),
        None => {
            let codes: Vec<&str> = diagnoses::ALL.iter().map(|diagnosis| diagnosis.code()).collect();
            let problem = Problem::new(format!("unknown diagnosis `{code}`"));
            place::complain(problem.with_help(suggestion(&code.to_uppercase(), &codes)));
            Exit::Usage
        }
    }
}
