//! The report for people.

use ssoproof_deployment::Source;

use crate::cli::draw;
use crate::doctor::examine::Examination;
use crate::doctor::finding::{Finding, Outcome, Severity};
use crate::doctor::proof::Proof;

/// The report as text: every finding with its line and a caret, the request that shows it and what it showed, and what
/// to do; the last line is of the form `2 errors, 0 warnings, 5 notes`.
pub fn text(examination: &Examination, colours: bool) -> String {
    let mut text: String = examination.findings.iter().map(|finding| told(finding, colours)).collect();
    if !examination.unmodelled.is_empty() {
        text.push_str("not modelled, so that nothing is said of it\n");
        text.extend(examination.unmodelled.iter().map(|what| format!("  {what}\n")));
        text.push('\n');
    }
    let files = examination.files.len();
    text.push_str(&format!(
        "{}: {files} {}, {} protected {}\n",
        examination.name,
        if files == 1 { "file" } else { "files" },
        examination.protected.len(),
        if examination.protected.len() == 1 { "host" } else { "hosts" },
    ));
    let totals = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let count = examination.count(severity);
        format!("{count} {}{}", severity.word(), if count == 1 { "" } else { "s" })
    });
    text.push_str(&totals.join(", "));
    match examination.not_reproduced() {
        0 => {}
        count => text.push_str(&format!(", {count} not reproduced")),
    }
    text.push('\n');
    text
}

fn told(finding: &Finding, colours: bool) -> String {
    // Secrets stand in settings; what is drawn is a line of theirs.
    let problem = match &finding.at {
        Some(at) if is_secret(&at.source, at.place.line) => ssoproof_deployment::Problem::new(format!(
            "{} {}: {}",
            finding.severity.word(),
            finding.code.id,
            finding.message
        )),
        _ => finding.problem(),
    };
    let mut text = draw(problem, colours);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("  {name:<10}{value}\n"));
        }
    };
    line("why", &finding.why);
    match &finding.proof {
        Proof::Request(asked, shows) => {
            line("request", &asked.to_string());
            line("shows", &shows.to_string());
        }
        Proof::Evaluated { question, .. } => line("worked out", question),
        Proof::Static(_) => {}
    }
    let outcome = match &finding.outcome {
        Outcome::Open => String::new(),
        outcome => format!("{}: {}", outcome.word(), outcome.seen()),
    };
    line("outcome", &outcome);
    line("fix", &finding.fix);
    line("in a run", finding.code.diagnosis.unwrap_or_default());
    text.push('\n');
    text
}

/// Whether the line sets something that nobody may see.
fn is_secret(source: &Source, line: usize) -> bool {
    let text = source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_ascii_lowercase();
    ["secret", "password", "token="].iter().any(|word| text.contains(word))
}
