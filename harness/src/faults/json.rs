//! The matrix as JSON.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::matrix::{Caught, CheckId, Matrix, Row};

/// The whole matrix: rows with what they failed, and the scenarios that no fault fails.
pub fn document(matrix: &Matrix) -> Value {
    json!({
        "faults": matrix.rows.iter().map(row).collect::<Vec<_>>(),
        "scenarios": matrix.columns.iter().map(|column| {
            let failed = matrix.failed(column);
            let words = |checks: &BTreeSet<CheckId>| checks.iter().map(ToString::to_string).collect::<Vec<_>>();
            json!({
                "id": column.scenario,
                "cases": column.cases,
                "checks": words(&column.checks),
                "failed_checks": words(&failed),
            })
        }).collect::<Vec<_>>(),
        "failed_by_no_fault": matrix.idle(),
        "checks_failed_later": matrix.failed_later(),
    })
}

fn row(row: &Row) -> Value {
    let failed: serde_json::Map<String, Value> = row
        .failed
        .iter()
        .map(|(scenario, tally)| (scenario.clone(), json!({ "cases": tally.cases, "causes": tally.causes })))
        .collect();
    json!({
        "name": row.fault.name,
        "group": row.fault.group.word(),
        "story": row.fault.story,
        "reference": row.fault.reference,
        "breaks": row.fault.breaks,
        "expected": row.fault.diagnosis,
        "caught": match row.caught() {
            Caught::Named => "named",
            Caught::Misnamed => "misnamed",
            Caught::Missed => "missed",
            Caught::Inapplicable => "inapplicable",
        },
        "tried": row.tried,
        "cases": row.cases(),
        "failed": failed,
    })
}
