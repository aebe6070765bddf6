//! The terminal: progress, what is not as expected, the requirements, the totals.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::failure_text;
use super::measured::Measured;
use super::memory;
use crate::cli::Exit;
use crate::runner::{CaseOutcome, Event, Plan, Summary, Verdict};
use crate::scenario::{EXPECTED_FAILURES, entry};
use crate::stacks::timeline;
use crate::steps::Severity;

/// How many stories are told in full; the rest are named.
const STORIES: usize = 25;
/// How many failures are given as entries to expect them by.
const ENTRIES: usize = 20;

/// Why a case fails, in a line: the cause, else what is not as expected.
pub(crate) fn because(outcome: &CaseOutcome) -> String {
    let cause = outcome.diagnoses.first().map(|cause| format!("{} {}", cause.code, cause.title));
    let finding = outcome.findings.first().map(|found| {
        let finding = &found.finding;
        format!("{} is {} instead of {}", finding.what, finding.got, finding.expected)
    });
    outcome.redactor().redact(&cause.or(finding).unwrap_or_default())
}

/// Writes to standard output.
pub(crate) fn out(text: &str) -> Exit {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Exit::Ok,
        // A reader that has seen enough, as `head`, is no error.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(_) => Exit::Internal,
    }
}

/// Writes to standard error; when it is closed there is nobody left to tell.
pub(crate) fn err(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Whether standard error shows colours.
pub(crate) fn colours_on_stderr() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Whether standard output shows colours.
pub(crate) fn colours_on_stdout() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// What the terminal has seen so far.
pub(super) struct Terminal {
    plan: Option<Plan>,
    progress: ProgressBar,
    colours: bool,
    stories: usize,
    requirements: BTreeMap<String, Count>,
    drift: BTreeSet<String>,
    warnings: BTreeMap<String, (String, usize)>,
    /// The risks by severity and text, with a scenario that shows each, and in how many cases.
    risks: BTreeMap<(Severity, String), (String, usize)>,
    /// What the cases of a scenario have measured, by scenario and name.
    figures: BTreeMap<(String, &'static str), Measured>,
    /// Why the cases of a scenario were not tried, and how many, by verdict and scenario.
    untried: BTreeMap<(String, String), (String, usize)>,
    /// The cases that failed, and why.
    entries: BTreeMap<String, String>,
}

/// The verdicts of one requirement's cases.
#[derive(Default)]
struct Count {
    cases: usize,
    passed: usize,
    bad: Vec<String>,
    warned: usize,
    risky: usize,
    unproven: usize,
    /// Those that fail, as they are known to.
    known: usize,
}

impl Terminal {
    pub(super) fn new() -> Self {
        let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            plan: None,
            progress: ProgressBar::with_draw_target(None, target),
            colours,
            stories: 0,
            requirements: BTreeMap::new(),
            drift: BTreeSet::new(),
            warnings: BTreeMap::new(),
            risks: BTreeMap::new(),
            figures: BTreeMap::new(),
            untried: BTreeMap::new(),
            entries: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Started(plan) => self.started(plan),
            Event::CaseFinished(outcome) => self.case(outcome),
            Event::Finished(summary) => self.finished(summary),
        }
    }

    fn started(&mut self, plan: &Plan) {
        self.progress.set_length(plan.cases as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
            self.progress.set_style(style);
        }
        for id in plan.deployment.requirements.keys() {
            self.requirements.entry(id.clone()).or_default();
        }
        out(&format!(
            "{}: {} cases on the {} stack, ready in {} ms\n",
            plan.deployment.name,
            plan.cases,
            plan.stack,
            plan.stack_ready.as_millis(),
        ));
        self.plan = Some(plan.clone());
    }

    fn case(&mut self, outcome: &Arc<CaseOutcome>) {
        self.progress.inc(1);
        let file = &outcome.case.scenario.file;
        for id in &file.requirements {
            let count = self.requirements.entry(id.value.clone()).or_default();
            count.cases += 1;
            count.risky += usize::from(!outcome.risks.is_empty());
            match outcome.verdict {
                Verdict::Passed => count.passed += 1,
                Verdict::ExpectedFailure => count.known += 1,
                Verdict::Warned => {
                    count.passed += 1;
                    count.warned += 1;
                }
                Verdict::Failed | Verdict::Error | Verdict::UnexpectedPass => {
                    if !count.bad.contains(&outcome.case.id) {
                        count.bad.push(outcome.case.id.clone());
                    }
                }
                Verdict::Skipped | Verdict::Unsupported => count.unproven += 1,
            }
        }
        if matches!(outcome.verdict, Verdict::Passed | Verdict::Warned) {
            // A scenario of the library may name what the document of another deployment says.
            let stated = self.plan.iter().flat_map(|plan| {
                let statements = &plan.deployment.statements;
                file.drift.iter().filter(|statement| statements.contains_key(&statement.value))
            });
            self.drift.extend(stated.map(|statement| statement.value.clone()));
        }
        for risk in &outcome.risks {
            let key = (risk.severity, outcome.redactor().redact(&risk.text));
            let id = &file.id.value;
            let entry = self.risks.entry(key).or_insert_with(|| (id.clone(), 0));
            // Cases end in any order; the list is always the same.
            if *id < entry.0 {
                entry.0.clone_from(id);
            }
            entry.1 += 1;
        }
        for measured in &outcome.figures {
            let key = (file.id.value.clone(), measured.figure.name);
            self.figures.entry(key).or_default().add(&measured.figure);
        }
        match outcome.verdict {
            Verdict::Passed | Verdict::ExpectedFailure => {}
            Verdict::Skipped | Verdict::Unsupported => {
                let reason = outcome.reason.clone().unwrap_or_default();
                let entry = self.untried.entry((outcome.verdict.to_string(), file.id.value.clone()));
                entry.or_insert((reason, 0)).1 += 1;
            }
            Verdict::Warned => {
                let first = outcome.findings.first();
                let text = first.map(|found| {
                    let finding = &found.finding;
                    let got = outcome.redactor().redact(&finding.got);
                    format!("{}: {} should be {}, is {got}", outcome.case.id, finding.what, finding.expected)
                });
                let entry =
                    self.warnings.entry(file.id.value.clone()).or_insert((text.unwrap_or_default(), 0));
                entry.1 += 1;
            }
            Verdict::Failed | Verdict::Error | Verdict::UnexpectedPass => {
                if outcome.verdict == Verdict::Failed {
                    self.entries.entry(outcome.case.id.clone()).or_insert_with(|| because(outcome));
                }
                self.stories += 1;
                let text = if self.stories <= STORIES {
                    format!("\n{}", failure_text(outcome, self.colours))
                } else {
                    format!("{} {}\n", outcome.verdict.to_string().to_uppercase(), outcome.case.id)
                };
                self.progress.suspend(|| out(&text));
            }
        }
    }

    fn finished(&mut self, summary: &Summary) {
        self.progress.finish_and_clear();
        let mut text = String::from("\n");
        text.push_str(&self.requirement_table());
        text.push_str(&self.warning_list());
        text.push_str(&self.figure_list());
        text.push_str(&self.risk_list());
        text.push_str(&self.drift_list());
        text.push_str(&self.untried_list());
        text.push_str(&self.entry_list());
        if let Some(plan) = self.plan.as_ref().filter(|plan| !plan.timings.is_empty()) {
            text.push_str(&format!("\nstack: {}\n", timeline(&plan.timings)));
        }
        let count = |verdict| summary.count(verdict);
        let peak = memory::peak().map(|peak| format!(", at most {peak} MiB")).unwrap_or_default();
        text.push_str(&format!(
            "\n{} warned, {} unsupported, {} errors, {} expected failures, {} unexpected passes in {:.2} s{peak}\n",
            count(Verdict::Warned),
            count(Verdict::Unsupported),
            count(Verdict::Error),
            count(Verdict::ExpectedFailure),
            count(Verdict::UnexpectedPass),
            summary.took.as_secs_f64(),
        ));
        text.push_str(&format!(
            "{} passed, {} failed, {} skipped\n",
            count(Verdict::Passed),
            count(Verdict::Failed),
            count(Verdict::Skipped),
        ));
        out(&text);
    }

    fn requirement_table(&self) -> String {
        let Some(plan) = &self.plan else { return String::new() };
        let (mut text, mut not_run) = (String::new(), Vec::new());
        for (id, promise) in &plan.deployment.requirements {
            let Some(count) = self.requirements.get(id) else { continue };
            if count.cases == 0 {
                not_run.push(id.as_str());
                continue;
            }
            let (word, colour) = if !count.bad.is_empty() {
                ("broken", "31")
            } else if count.known > 0 {
                ("broken, as is known", "33")
            } else if count.passed == 0 {
                ("unproven", "33")
            } else if count.warned > 0 {
                ("holds, with warnings", "33")
            } else if count.risky > 0 {
                ("holds, with risks", "33")
            } else {
                ("holds", "32")
            };
            let word = if self.colours { format!("\x1b[{colour}m{word}\x1b[0m") } else { word.to_owned() };
            text.push_str(&format!("{id:<10} {:>3}/{:<3} {word}  {promise}\n", count.passed, count.cases));
            for bad in count.bad.iter().take(8) {
                text.push_str(&format!("                    {bad}\n"));
            }
            if count.bad.len() > 8 {
                text.push_str(&format!("                    and {} more\n", count.bad.len() - 8));
            }
        }
        if !not_run.is_empty() {
            text.push_str(&format!("not run: {}\n", not_run.join(" ")));
        }
        text
    }

    fn warning_list(&self) -> String {
        if self.warnings.is_empty() {
            return String::new();
        }
        let mut text = String::from("\nwarnings\n");
        for (first, count) in self.warnings.values() {
            let more = if *count > 1 { format!(" (and {} like it)", count - 1) } else { String::new() };
            text.push_str(&format!("  {first}{more}\n"));
        }
        text
    }

    /// What was measured.
    fn figure_list(&self) -> String {
        let mut text = String::new();
        for (index, ((scenario, name), measured)) in self.figures.iter().enumerate() {
            let head = if index == 0 { "\nmeasured\n" } else { "" };
            text.push_str(&format!("{head}  {scenario}  {name}  {measured}\n"));
        }
        text
    }

    /// What nobody has broken, and is a danger all the same.
    fn risk_list(&self) -> String {
        if self.risks.is_empty() {
            return String::new();
        }
        let mut text = String::from("\nrisks that are there by design\n");
        for ((severity, risk), (scenario, cases)) in &self.risks {
            let cases = if *cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") };
            text.push_str(&format!("  {severity:<6}  {risk} ({scenario}, {cases})\n"));
        }
        text
    }

    fn untried_list(&self) -> String {
        let mut text = String::new();
        for (index, ((verdict, scenario), (reason, cases))) in self.untried.iter().enumerate() {
            let head = if index == 0 { "\nnot tried\n" } else { "" };
            let cases = if *cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") };
            text.push_str(&format!("{head}  {verdict} {scenario} ({cases}): {reason}\n"));
        }
        text
    }

    /// What it takes to go on with the failures for now.
    fn entry_list(&self) -> String {
        let Some(plan) = self.plan.as_ref().filter(|_| !self.entries.is_empty()) else {
            return String::new();
        };
        let file = plan.deployment.folder.join(EXPECTED_FAILURES);
        let mut text = format!("\nto expect these failures for now, add to {}\n", file.display());
        for (case, because) in self.entries.iter().take(ENTRIES) {
            let entry = entry(case, because, &plan.deployment.versions);
            entry.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
        if self.entries.len() > ENTRIES {
            text.push_str(&format!("  and {} more\n", self.entries.len() - ENTRIES));
        }
        text
    }

    /// What the deployment's document says otherwise, proven by a case of this run.
    fn drift_list(&self) -> String {
        let Some(plan) = &self.plan else { return String::new() };
        if self.drift.is_empty() {
            return String::new();
        }
        let mut text = String::from("\ndrift: the document says otherwise than is true\n");
        for name in &self.drift {
            if let Some(statement) = plan.deployment.statements.get(name) {
                text.push_str(&format!("  {name}\n    document  {}\n", statement.document));
                text.push_str(&format!("    truth     {}\n", statement.truth));
            }
        }
        text
    }
}
