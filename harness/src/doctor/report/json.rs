//! The report for programs.

use serde_json::{Value, json};

use crate::doctor::examine::Examination;
use crate::doctor::finding::{Finding, Severity};
use crate::doctor::proof::Proof;

/// The report as JSON.
pub fn json(examination: &Examination) -> Value {
    json!({
        "name": examination.name,
        "files": examination.files,
        "protected": examination.protected,
        "errors": examination.count(Severity::Error),
        "warnings": examination.count(Severity::Warning),
        "notes": examination.count(Severity::Note),
        "not_reproduced": examination.not_reproduced(),
        "findings": examination.findings.iter().map(finding).collect::<Vec<_>>(),
        "unmodelled": examination.unmodelled,
    })
}

fn finding(finding: &Finding) -> Value {
    let at = finding
        .at
        .as_ref()
        .map(|at| json!({ "file": at.source.path, "line": at.place.line, "column": at.place.column }));
    let proof = match &finding.proof {
        Proof::Request(asked, shows) => json!({
            "request": asked.to_string(),
            "shows": shows.to_string(),
            "curl": asked.curl(),
            "signed_in": asked.signed_in,
        }),
        Proof::Evaluated { question, .. } => json!({ "evaluated": question }),
        Proof::Static(_) => Value::Null,
    };
    json!({
        "code": finding.code.id,
        "title": finding.code.title,
        "severity": finding.severity,
        "at": at,
        "message": finding.message,
        "why": finding.why,
        "proof": proof,
        "outcome": finding.outcome.word(),
        "seen": finding.outcome.seen(),
        "fix": finding.fix,
        "diagnosis": finding.code.diagnosis,
    })
}
