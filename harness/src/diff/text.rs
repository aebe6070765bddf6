//! The report as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::behaviour::{Behaviour, Report};
use super::compare::{Difference, Kind};
use super::ledger::{Row, rows};
use super::severity::Severity;

/// The most hops shown before and after the one in question.
const AROUND: usize = 3;
/// The most characters of a value that are shown.
const LONGEST: usize = 120;
/// The most requirements that are named.
const REQUIREMENTS: usize = 8;
/// The most unmatched cases that are named.
const UNMATCHED: usize = 20;

/// The report, the worst first; with `ledgers`, each behaviour with its example on both sides.
pub fn text(report: &Report, ledgers: bool) -> String {
    let mut text =
        format!("from {}\nto   {}\n{} cases on both sides\n", report.from, report.to, report.compared);
    for severity in Severity::ALL {
        let mut of = report.behaviours.iter().filter(|behaviour| behaviour.severity == severity).peekable();
        if of.peek().is_some() {
            let _ = writeln!(text, "\n{}", severity.word());
        }
        of.for_each(|behaviour| write_behaviour(&mut text, behaviour, ledgers));
    }
    for (side, ids) in [("from", &report.only_from), ("to", &report.only_to)] {
        if ids.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\nonly on the side of --{side}: {} cases", ids.len());
        for id in ids.iter().take(UNMATCHED) {
            let _ = writeln!(text, "  {id}");
        }
        if ids.len() > UNMATCHED {
            text.push_str("  …\n");
        }
    }
    let [breaking, changed, cosmetic] = Severity::ALL.map(|severity| report.count(severity));
    let verdict = report.verdict().word();
    let _ = writeln!(text, "\n{verdict}: {breaking} breaking, {changed} changed, {cosmetic} cosmetic");
    text
}

/// What differs, the worst first, each in one line and in no case's words: what a version does otherwise than another.
pub fn outline(report: &Report) -> String {
    let mut text = String::new();
    for severity in Severity::ALL {
        let mut lines = BTreeSet::new();
        for behaviour in report.behaviours.iter().filter(|behaviour| behaviour.severity == severity) {
            let known: Vec<_> = behaviour.known.iter().map(|known| known.title.as_str()).collect();
            let known = if known.is_empty() { String::new() } else { format!("  [{}]", known.join("; ")) };
            lines.insert(format!("  {}{known}", headline(behaviour)));
        }
        if !lines.is_empty() {
            let _ = writeln!(text, "{}", severity.word());
        }
        for line in lines {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// What differs, in one line.
pub(super) fn headline(behaviour: &Behaviour) -> String {
    let Difference { kind, place, subject, from, to, renamed, .. } = &behaviour.difference;
    let place = match (place.as_str(), behaviour.places.len()) {
        ("", _) => String::new(),
        (place, 0 | 1) => format!(" of {place}"),
        (place, 2) => format!(" of {place} and 1 other"),
        (place, many) => format!(" of {place} and {} others", many - 1),
    };
    let subject = if subject.is_empty() { String::new() } else { format!(" {subject}") };
    let shown = |value: &Option<String>| value.as_deref().map_or_else(String::new, short);
    if *kind == Kind::Verdict {
        return format!("verdict: {} → {}, by {}", shown(from), shown(to), short(subject.trim()));
    }
    let what = match (kind, from, to, renamed) {
        (Kind::Hop, Some(_), None, _) => format!("fewer: {}", shown(from)),
        (Kind::Hop, ..) => format!("more: {}", shown(to)),
        (_, _, _, Some(new)) => format!("renamed to {new}"),
        (_, Some(_), None, _) => format!("gone: {}", shown(from)),
        (_, None, Some(_), _) => format!("new: {}", shown(to)),
        (Kind::Text | Kind::Field | Kind::Header, Some(from), Some(to), _) => apart(from, to),
        _ => format!("{} → {}", shown(from), shown(to)),
    };
    format!("{kind}{subject}{place}: {what}").trim_end_matches([':', ' ']).to_owned()
}

fn short(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    if text.chars().count() <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}…")
}

/// Both texts from a little before the first character that differs.
fn apart(from: &str, to: &str) -> String {
    let same = from.chars().zip(to.chars()).take_while(|(one, other)| one == other).count();
    let skipped =
        if from.chars().count().max(to.chars().count()) > LONGEST { same.saturating_sub(20) } else { 0 };
    let tail = |text: &str| {
        let rest: String = text.chars().skip(skipped).collect();
        if skipped > 0 { format!("…{}", short(&rest)) } else { short(&rest) }
    };
    format!("{} → {}", tail(from), tail(to))
}

/// The cases and requirements that show it.
pub(super) fn reach(behaviour: &Behaviour) -> String {
    let cases = match behaviour.cases.len() {
        1 => "1 case".to_owned(),
        many => format!("{many} cases"),
    };
    let named: Vec<&str> = behaviour.requirements.iter().take(REQUIREMENTS).map(String::as_str).collect();
    let more = if behaviour.requirements.len() > REQUIREMENTS { " …" } else { "" };
    format!("{cases}; {}{more}", named.join(" "))
}

fn write_behaviour(text: &mut String, behaviour: &Behaviour, ledgers: bool) {
    let _ = writeln!(text, "  {}", headline(behaviour));
    let _ = writeln!(text, "    {}; {}", behaviour.reason, reach(behaviour));
    for known in &behaviour.known {
        let _ = writeln!(text, "    known since {}: {} ({})", known.since, known.title, known.reference);
    }
    let _ = writeln!(text, "    as {}", behaviour.example.from.id);
    if ledgers {
        write_ledgers(text, &rows(behaviour));
    }
}

/// The hops around the one in question: `-` from the first side, `+` from the second, both where they differ.
fn write_ledgers(text: &mut String, rows: &[Row]) {
    let turning = rows.iter().position(|row| row.turning).unwrap_or(rows.len().saturating_sub(1));
    let first = turning.saturating_sub(AROUND);
    if first > 0 {
        text.push_str("        …\n");
    }
    for row in rows.iter().skip(first).take(turning - first + AROUND + 1) {
        let mark = if row.turning { ">" } else { " " };
        match (&row.from, &row.to) {
            (Some(from), Some(to)) if after_number(from) == after_number(to) && !row.turning => {
                let _ = writeln!(text, "    {mark}   {from}");
            }
            (from, to) => {
                for (sign, line) in [("-", from), ("+", to)] {
                    if let Some(line) = line {
                        let _ = writeln!(text, "    {mark} {sign} {line}");
                    }
                }
            }
        }
    }
    if rows.len() > turning + AROUND + 1 {
        text.push_str("        …\n");
    }
}

fn after_number(line: &str) -> &str {
    line.split_once(' ').map_or(line, |(_, rest)| rest)
}
