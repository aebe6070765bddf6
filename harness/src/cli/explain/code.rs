//! `ssoproof explain [CODE]`.

use ssoproof_deployment::{Problem, suggestion};

use super::super::exit::Exit;
use super::super::place;
use crate::diagnoses;
use crate::explain::loops::causes;
use crate::reports::out;

/// Prints what a diagnosis means, or the first line of every one.
pub(super) fn explain(code: Option<&str>) -> Exit {
    let known: Vec<(&str, &str)> = diagnoses::ALL
        .iter()
        .map(|diagnosis| (diagnosis.code(), diagnosis.explanation()))
        .chain(causes::ALL.iter().filter_map(|rule| Some((rule.code, rule.explanation?))))
        .collect();
    let Some(code) = code else {
        let line =
            |(code, text): &(&str, &str)| format!("{code}  {}\n", text.lines().next().unwrap_or_default());
        return out(&known.iter().map(line).collect::<String>());
    };
    match known.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)) {
        Some((code, text)) => out(&format!("{code}  {text}\n")),
        None => {
            let codes: Vec<&str> = known.iter().map(|(code, _)| *code).collect();
            let problem = Problem::new(format!("unknown diagnosis `{code}`"));
            place::complain(problem.with_help(suggestion(&code.to_uppercase(), &codes)));
            Exit::Usage
        }
    }
}
