//! The report as JSON.

use serde_json::{Value, json};

use super::behaviour::{Behaviour, Report};
use super::severity::Severity;

/// The whole report, with the ledgers of every example.
pub fn document(report: &Report) -> Value {
    json!({
        "from": report.from,
        "to": report.to,
        "verdict": report.verdict(),
        "compared": report.compared,
        "counts": Severity::ALL.map(|severity| (severity.word(), report.count(severity)))
            .into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "behaviours": report.behaviours.iter().map(behaviour).collect::<Vec<_>>(),
        "only_from": report.only_from,
        "only_to": report.only_to,
    })
}

fn behaviour(of: &Behaviour) -> Value {
    let difference = &of.difference;
    json!({
        "severity": of.severity,
        "reason": of.reason,
        "kind": difference.kind,
        "place": difference.place,
        "places": of.places,
        "subject": difference.subject,
        "from": difference.from,
        "to": difference.to,
        "renamed": difference.renamed,
        "cases": of.cases,
        "requirements": of.requirements,
        "known": of.known,
        "example": {
            "case": of.example.from.id,
            "from": { "hop": difference.hops.0, "hops": of.example.from.hops },
            "to": { "hop": difference.hops.1, "hops": of.example.to.hops },
        },
    })
}
