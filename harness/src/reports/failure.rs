//! A case that is not as expected, in text: promise, place, expected and got, ledger, cause, command.

use std::fmt::Write as _;

use url::Url;

use crate::cli::draw;
use crate::evidence::{ChangeKind, Hop, curl, mask_url};
use crate::runner::{CaseOutcome, StepFinding, Verdict};

/// The longest URL shown, in characters; the JSON report has them whole.
const LONGEST_URL: usize = 110;

/// The longest body excerpt, in characters.
const EXCERPT: usize = 160;

/// The whole story of `outcome`.
pub fn failure_text(outcome: &CaseOutcome, colours: bool) -> String {
    let file = &outcome.case.scenario.file;
    let mut text = String::new();
    let requirements: Vec<&str> = file.requirements.iter().map(|id| id.as_str()).collect();
    let _ = writeln!(text, "{} {}", outcome.verdict.to_string().to_uppercase(), outcome.case.id);
    let _ = writeln!(text, "  promise      {}", file.promise);
    let _ = writeln!(text, "  requirement  {}", requirements.join(", "));
    if !outcome.case.values.is_empty() {
        let values: Vec<String> =
            outcome.case.values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let _ = writeln!(text, "  with         {}", values.join(", "));
    }
    if let (Verdict::ExpectedFailure | Verdict::UnexpectedPass, Some(reason)) =
        (outcome.verdict, &outcome.case.expect_failure)
    {
        let _ = writeln!(text, "  known        {reason}");
    }
    text.push('\n');
    for finding in &outcome.findings {
        finding_text(&mut text, finding, outcome, colours);
    }
    if let Some(reason) = &outcome.reason {
        let reason = outcome.redactor().redact(reason);
        match &outcome.reason_at {
            Some((source, place)) => text.push_str(&draw(source.problem(*place, reason), colours)),
            None => {
                let _ = writeln!(text, "  {reason}");
            }
        }
    }
    for diagnosed in &outcome.diagnoses {
        let _ =
            writeln!(text, "  diagnosis  {} {}", diagnosed.code, outcome.redactor().redact(&diagnosed.title));
        if let Some(pointer) = &diagnosed.pointer {
            let _ = writeln!(text, "             {pointer}");
        }
        let _ = writeln!(text, "             {}", diagnosed.help);
    }
    ledger_text(&mut text, outcome);
    if let Some(hop) = outcome.ledger.turning.and_then(|index| outcome.ledger.hop(index)) {
        let _ = writeln!(text, "\n  again  {}", curl(hop, outcome.redactor()));
    }
    text
}

fn finding_text(text: &mut String, found: &StepFinding, outcome: &CaseOutcome, colours: bool) {
    let finding = &found.finding;
    let hop = finding.hop.map(|hop| format!(" at hop {}", hop + 1)).unwrap_or_default();
    let must = if found.must { "must" } else { "should" };
    let name = found.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let message = format!(
        "{} of step {}, {}{name}, {must} be otherwise{hop}\nexpected  {}\ngot       {}",
        finding.what,
        found.step,
        found.verb,
        outcome.redactor().redact(&finding.expected),
        outcome.redactor().redact(&finding.got),
    );
    text.push_str(&draw(found.source.problem(finding.place, message), colours));
    if let Some(place) = found.used_at {
        let _ = writeln!(text, "  used at {}:{}", outcome.case.scenario.source.path.display(), place.line);
    }
}

fn ledger_text(text: &mut String, outcome: &CaseOutcome) {
    if outcome.ledger.hops.is_empty() {
        return;
    }
    text.push_str("\n  ledger\n");
    let width =
        |words: &dyn Fn(&Hop) -> usize| outcome.ledger.hops.iter().map(words).max().unwrap_or_default();
    let actors = width(&|hop| hop.actor.chars().count());
    let causes = width(&|hop| hop.cause.to_string().len());
    for hop in &outcome.ledger.hops {
        let mark = if outcome.ledger.turning == Some(hop.index) { "→" } else { " " };
        let _ = writeln!(
            text,
            "  {mark}{:>3}  {:<actors$}  {:<causes$}  {} {}  {}",
            hop.number(),
            hop.actor,
            hop.cause.to_string(),
            hop.request.method,
            shown(&hop.request.url),
            answer(hop, outcome),
        );
        for change in &hop.jar {
            let what = match &change.kind {
                ChangeKind::Set => "cookie set",
                ChangeKind::Replaced { value_changed: true } => "cookie changed",
                ChangeKind::Replaced { value_changed: false } => continue,
                ChangeKind::Removed => "cookie removed",
                ChangeKind::Rejected { reason } => {
                    let _ = writeln!(text, "          {} refused: {reason}", change.name);
                    continue;
                }
            };
            let _ = writeln!(text, "          {what}: {}", change.name);
        }
    }
}

/// A URL with what changes from run to run masked, cut where it gets too long for a line.
fn shown(url: &Url) -> String {
    let masked = mask_url(url);
    match masked.char_indices().nth(LONGEST_URL) {
        Some((end, _)) => format!("{}…", masked.get(..end).unwrap_or_default()),
        None => masked,
    }
}

fn answer(hop: &Hop, outcome: &CaseOutcome) -> String {
    match &hop.outcome {
        Err(error) => format!("no answer: {error}"),
        Ok(response) => match hop.redirect_target() {
            Some(target) => format!("{} → {}", response.status, shown(&target)),
            None if outcome.ledger.turning == Some(hop.index) => {
                let body = outcome.redactor().redact(&response.text());
                let body: String = body.split_whitespace().collect::<Vec<_>>().join(" ");
                let excerpt: String = body.chars().take(EXCERPT).collect();
                format!("{} {excerpt}", response.status)
            }
            None => response.status.to_string(),
        },
    }
}
