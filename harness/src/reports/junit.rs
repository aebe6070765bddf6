//! `--junit`: one test suite for every scenario, one test case for every case.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::failure::failure_text;
use crate::runner::{CaseOutcome, Event, Verdict};

/// A JUnit report under way.
pub(super) struct Junit {
    file: File,
    suites: BTreeMap<String, TestSuite>,
    name: String,
}

impl Junit {
    pub(super) fn new(file: File) -> Self {
        Self { file, suites: BTreeMap::new(), name: String::new() }
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Started(plan) => self.name = plan.deployment.name.clone(),
            Event::CaseFinished(outcome) => {
                let id = &outcome.case.scenario.file.id.value;
                let suite = self.suites.entry(id.clone()).or_insert_with(|| TestSuite::new(id.clone()));
                suite.add_test_case(case(outcome));
            }
            Event::Finished(_) => {}
        }
    }

    pub(super) fn finish(self) -> std::io::Result<()> {
        let mut report = Report::new(self.name);
        report.add_test_suites(self.suites.into_values());
        let mut file = BufWriter::new(self.file);
        report.serialize(&mut file).map_err(std::io::Error::other)?;
        file.flush()
    }
}

fn case(outcome: &CaseOutcome) -> TestCase {
    let status = match outcome.verdict {
        Verdict::Passed | Verdict::Warned | Verdict::ExpectedFailure => TestCaseStatus::success(),
        Verdict::Skipped | Verdict::Unsupported => TestCaseStatus::skipped(),
        Verdict::Failed | Verdict::UnexpectedPass => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let mut case = TestCase::new(outcome.case.id.clone(), status);
    case.set_classname(outcome.case.scenario.file.id.value.clone());
    case.set_time(outcome.took);
    for risk in &outcome.risks {
        let name = format!("risk.{}", risk.severity);
        case.add_property((name, outcome.redactor().redact(&risk.text)));
    }
    for measured in &outcome.figures {
        let figure = &measured.figure;
        let name = format!("{}.{}.step{}", figure.name, figure.of, measured.step);
        case.add_property((name, figure.to_string()));
    }
    if outcome.verdict.fails_run() {
        let first = outcome.findings.first().map(|found| {
            let finding = &found.finding;
            format!("{}: expected {}, got {}", finding.what, finding.expected, finding.got)
        });
        let message = first.or_else(|| outcome.reason.clone()).unwrap_or_else(|| outcome.verdict.to_string());
        case.status.set_message(outcome.redactor().redact(&message));
        case.status.set_description(failure_text(outcome, false));
    } else if let Some(reason) = &outcome.reason {
        case.status.set_message(outcome.redactor().redact(reason));
    }
    case
}
