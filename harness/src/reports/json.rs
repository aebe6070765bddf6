//! `--json`: every verdict with its evidence, one case at a time so that memory stays flat.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use serde_json::{Value, json};

use crate::evidence::Hop;
use crate::runner::{CaseOutcome, Event, Verdict};

/// The longest body kept of a hop, in characters.
const LONGEST_BODY: usize = 4_000;

/// A JSON report under way: an object with `cases`, written as they end, and the totals behind them.
pub(super) struct Json {
    file: BufWriter<File>,
    first: bool,
    failed: Option<std::io::Error>,
}

impl Json {
    pub(super) fn new(file: File) -> Self {
        Self { file: BufWriter::new(file), first: true, failed: None }
    }

    pub(super) fn take(&mut self, event: &Event) {
        let text = match event {
            Event::Started(plan) => {
                let head = json!({ "deployment": plan.deployment.name, "stack": plan.stack });
                let head = head.to_string();
                format!("{},\"cases\":[\n", head.trim_end_matches('}'))
            }
            Event::CaseFinished(outcome) => {
                let comma = if std::mem::take(&mut self.first) { "" } else { ",\n" };
                format!("{comma}{}", case(outcome))
            }
            Event::Finished(summary) => {
                let totals = json!({ "verdicts": summary.verdicts, "seconds": summary.took.as_secs_f64() });
                format!("\n],\"totals\":{totals}}}\n")
            }
        };
        if self.failed.is_none() {
            self.failed = self.file.write_all(text.as_bytes()).err();
        }
    }

    pub(super) fn finish(mut self) -> std::io::Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.file.flush(),
        }
    }
}

fn case(outcome: &CaseOutcome) -> Value {
    let file = &outcome.case.scenario.file;
    let redact = |text: &str| outcome.redactor().redact(text);
    let findings: Vec<Value> = outcome
        .findings
        .iter()
        .map(|found| {
            json!({
                "file": found.source.path.display().to_string(),
                "line": found.finding.place.line,
                "column": found.finding.place.column,
                "step": found.step,
                "verb": found.verb,
                "must": found.must,
                "check": found.finding.check,
                "what": found.finding.what,
                "expected": redact(&found.finding.expected),
                "got": redact(&found.finding.got),
                "hop": found.finding.hop,
                "hop_number": found.finding.hop.map(|hop| hop + 1),
            })
        })
        .collect();
    let diagnoses: Vec<Value> = outcome
        .diagnoses
        .iter()
        .map(|diagnosed| {
            json!({
                "code": diagnosed.code,
                "title": redact(&diagnosed.title),
                "file": diagnosed.pointer.as_ref().map(|pointer| pointer.file.display().to_string()),
                "line": diagnosed.pointer.as_ref().map(|pointer| pointer.line),
                "help": diagnosed.help,
            })
        })
        .collect();
    let risks: Vec<Value> = outcome
        .risks
        .iter()
        .map(|risk| {
            json!({
                "file": risk.source.path.display().to_string(),
                "line": risk.place.line,
                "severity": risk.severity,
                "text": redact(&risk.text),
            })
        })
        .collect();
    let figures: Vec<Value> = outcome
        .figures
        .iter()
        .map(|measured| {
            let mut figure = json!(measured.figure);
            figure["step"] = measured.step.into();
            figure
        })
        .collect();
    let mut case = json!({
        "id": outcome.case.id,
        "scenario": file.id.value,
        "promise": file.promise,
        "requirements": file.requirements,
        "round": outcome.round,
        "verdict": outcome.verdict,
        "seconds": outcome.took.as_secs_f64(),
        "findings": findings,
        "risks": risks,
        "figures": figures,
        "diagnoses": diagnoses,
        "reason": outcome.reason.as_deref().map(redact),
        "hops": outcome.ledger.hops.iter().map(|hop| self::hop(hop, outcome)).collect::<Vec<_>>(),
    });
    if outcome.verdict != Verdict::Passed {
        let logs: serde_json::Map<String, Value> = outcome
            .logs
            .iter()
            .map(|(name, lines)| {
                (name.clone(), lines.iter().map(|line| Value::String(redact(line))).collect::<Value>())
            })
            .collect();
        case["logs"] = Value::Object(logs);
    }
    case
}

fn hop(hop: &Hop, outcome: &CaseOutcome) -> Value {
    let redact = |text: &str| outcome.redactor().redact(text);
    let lines = |lines: &[(Vec<u8>, Vec<u8>)]| -> Vec<[String; 2]> {
        lines
            .iter()
            .map(|(name, value)| {
                [String::from_utf8_lossy(name).into_owned(), redact(&String::from_utf8_lossy(value))]
            })
            .collect()
    };
    let body = |body: &[u8]| -> String {
        redact(&String::from_utf8_lossy(body)).chars().take(LONGEST_BODY).collect()
    };
    let answer = match &hop.outcome {
        Ok(response) => json!({
            "status": response.status, "headers": lines(&response.headers), "body": body(&response.body),
        }),
        Err(error) => json!({ "error": error.to_string() }),
    };
    json!({
        "index": hop.index,
        "number": hop.number(),
        "actor": hop.actor,
        "cause": hop.cause.to_string(),
        "request": {
            "method": hop.request.method,
            "url": redact(hop.request.url.as_str()),
            "headers": lines(&hop.request.headers),
            "body": body(&hop.request.body),
        },
        "response": answer,
        "cookies": hop.jar.iter().map(|change| format!("{:?} {}", change.kind, change.name)).collect::<Vec<_>>(),
        "milliseconds": hop.took.as_secs_f64() * 1e3,
    })
}
