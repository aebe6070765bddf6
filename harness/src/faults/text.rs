//! The matrix and the catalogue, to read.

use std::fmt::Write as _;

use ssoproof_embedded::faults::{self, Group};

use super::held::Lost;
use super::matrix::{Caught, Matrix, Row};

/// Every fault of the catalogue with its story.
pub fn catalogue() -> String {
    let mut text = String::new();
    let mut group = None;
    for fault in faults::all() {
        heading(&mut text, &mut group, fault.group);
        let _ = writeln!(text, "  {:<36} {}", fault.name, fault.story);
        if let Some(reference) = fault.reference {
            let _ = writeln!(text, "  {:<36} {reference}", "");
        }
    }
    text
}

fn heading(text: &mut String, last: &mut Option<Group>, group: Group) {
    if *last != Some(group) {
        let gap = if last.is_some() { "\n" } else { "" };
        let _ = writeln!(text, "{gap}{}", group.word());
        *last = Some(group);
    }
}

/// What was run, and how much is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Whether only a part of the cases was run: what they do not catch is no hole.
    pub part: bool,
    /// Whether every fault was tried: a check that none fails proves nothing.
    pub all: bool,
    /// How many faults were left out, as they break what no case proves.
    pub outside: usize,
    /// Whether scenarios and examples are named.
    pub verbose: bool,
}

/// The rows of `matrix`, and what is wrong with the whole, `lost` among it.
pub fn text(matrix: &Matrix, lost: &[Lost], told: Told) -> String {
    let Told { part, all, outside, verbose } = told;
    let mut text = String::new();
    let mut group = None;
    let shown = |row: &&Row| !(part && row.caught() == Caught::Missed);
    for row in matrix.rows.iter().filter(shown) {
        heading(&mut text, &mut group, row.fault.group);
        line(&mut text, row);
        if verbose || matches!(row.caught(), Caught::Misnamed) {
            details(&mut text, row, verbose);
        }
    }
    let idle = matrix.idle();
    if !idle.is_empty() {
        let _ = writeln!(text, "\nfailed by no fault:\n  {}", idle.join("\n  "));
    }
    let failed = idle_checks(&mut text, matrix, verbose, all);
    for Lost { scenario, checks } in lost {
        let _ = writeln!(text, "\n✗ {scenario}: failed by no fault any more: {}", checks.join(", "));
    }
    if outside > 0 {
        let _ = writeln!(text, "\n{outside} faults were left out: nothing here proves what they break");
    }
    let of = matrix.rows.len() - matrix.count(Caught::Inapplicable);
    let _ = writeln!(
        text,
        "\n{of} faults: {} caught and named, {} caught and misnamed, {} caught by {}; {} of {} scenarios and {failed} checks failed by a fault",
        matrix.count(Caught::Named),
        matrix.count(Caught::Misnamed),
        matrix.count(Caught::Missed),
        if part { "none of these cases" } else { "nobody" },
        matrix.columns.len() - idle.len(),
        matrix.columns.len(),
    );
    if !matrix.later.is_empty() {
        let later = matrix.failed_later();
        let _ = writeln!(text, "{later} of these checks by a fault that comes right before their step");
    }
    text
}

/// The most checks that are named without being asked for.
const FEW: usize = 12;

/// How many of the checks some fault fails. The others are named when every fault was `tried` and they are few; `verbose`
/// names them in any case.
fn idle_checks(text: &mut String, matrix: &Matrix, verbose: bool, tried: bool) -> String {
    let (failed, all) = matrix.checks();
    let mut named = String::new();
    for column in &matrix.columns {
        let of_column = matrix.failed(column);
        let idle: Vec<String> = column.checks.difference(&of_column).map(ToString::to_string).collect();
        if !idle.is_empty() {
            let _ = writeln!(named, "  {}: {}", column.scenario, idle.join(" "));
        }
    }
    if !named.is_empty() && (verbose || tried && all - failed <= FEW) {
        let _ = write!(text, "\nchecks that no fault fails\n{named}");
    }
    format!("{failed} of {all}")
}

fn line(text: &mut String, row: &Row) {
    let name = row.fault.name;
    let _ = match row.caught() {
        Caught::Inapplicable => writeln!(text, "  - {name:<36} nothing to break here"),
        Caught::Missed => writeln!(text, "  ✗ {name:<36} caught by nobody"),
        caught => {
            let mark = if caught == Caught::Named { '✓' } else { '✗' };
            let (cases, scenarios, tried) = (row.cases(), row.failed.len(), row.tried);
            writeln!(
                text,
                "  {mark} {name:<36} {}  {} of {cases} cases, {scenarios} scenarios; {tried} tried",
                row.fault.diagnosis,
                row.named(),
            )
        }
    };
}

fn details(text: &mut String, row: &Row, verbose: bool) {
    for (cause, cases) in row.causes() {
        if row.names(cause) {
            continue;
        }
        let example = row.failed.values().find_map(|tally| tally.examples.get(cause));
        let cause = if cause.is_empty() { "no cause" } else { cause };
        let _ = writeln!(text, "      {cause}: {cases}, as {}", example.map_or("", String::as_str));
    }
    if verbose {
        for (scenario, tally) in &row.failed {
            let _ = writeln!(text, "      {scenario} ({})", tally.cases);
        }
    }
}
