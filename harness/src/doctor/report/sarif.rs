//! The report as SARIF 2.1.0, which code hosts show beside the lines.

use std::collections::BTreeSet;
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use crate::doctor::examine::Examination;
use crate::doctor::finding::{Finding, Severity};
use crate::doctor::proof::Proof;
use crate::doctor::rules::codes;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What may not stand in the path of a URI.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// The report as SARIF 2.1.0. A finding that does not reproduce is a result of level `none` and kind `pass`.
pub fn sarif(examination: &Examination) -> Value {
    let mut seen = BTreeSet::new();
    let used = examination.findings.iter().map(|finding| finding.code);
    let rules: Vec<Value> = codes()
        .chain(used)
        .filter(|code| seen.insert(code.id))
        .map(|code| {
            let mut rule = json!({ "id": code.id, "shortDescription": { "text": code.title } });
            if let Some(diagnosis) = code.diagnosis {
                rule["properties"] = json!({ "diagnosis": diagnosis });
            }
            rule
        })
        .collect();
    let index = |finding: &Finding| rules.iter().position(|rule| rule["id"] == finding.code.id);
    let results: Vec<Value> =
        examination.findings.iter().map(|finding| result(finding, index(finding))).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ssoproof doctor",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding, index: Option<usize>) -> Value {
    let level = match (finding.counts(), finding.severity) {
        (false, _) => "none",
        (true, Severity::Error) => "error",
        (true, Severity::Warning) => "warning",
        (true, Severity::Note) => "note",
    };
    let mut text = format!("{}.", finding.message);
    if !finding.fix.is_empty() {
        text.push_str(&format!(" To mend it: {}.", finding.fix));
    }
    let mut result = json!({
        "ruleId": finding.code.id,
        "ruleIndex": index,
        "kind": if finding.counts() { "fail" } else { "pass" },
        "level": level,
        "message": { "text": text },
        "properties": { "outcome": finding.outcome.word(), "seen": finding.outcome.seen(), "why": finding.why },
    });
    if let Proof::Request(asked, shows) = &finding.proof {
        result["properties"]["request"] = json!(asked.to_string());
        result["properties"]["shows"] = json!(shows.to_string());
    }
    if let Some(at) = &finding.at {
        let mut region = json!({ "startLine": at.place.line.max(1), "startColumn": at.place.column.max(1) });
        let value =
            at.source.text.get(at.place.offset..at.place.offset + at.place.length).unwrap_or_default();
        if at.place.length > 0 && !value.contains('\n') {
            region["endColumn"] = json!(at.place.column.max(1) + value.chars().count());
        }
        result["locations"] = json!([{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&at.source.path) },
            "region": region,
        } }]);
    }
    result
}

/// A path as the URI of an artifact: relative where it is.
fn uri(path: &Path) -> String {
    let text = path.to_string_lossy();
    let encoded = utf8_percent_encode(text.trim_start_matches("./"), PATH);
    if path.is_absolute() { format!("file://{encoded}") } else { encoded.to_string() }
}
