//! Reports that show on a running stack: scenarios on the SpaceMusic deployment, whole, changed as in the report, or with
//! the report's fault.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use ssoproof::runner::{self, Event, Options, Selection, Verdict};
use ssoproof::scenario;
use ssoproof::stacks::Embedded;
use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults;

use crate::Tried;

/// One report.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    id: String,
    title: String,
    filter: Vec<String>,
    change: Option<Change>,
    /// What is wrong with the stack, by its name in the catalogue.
    fault: Option<String>,
    /// `passed`, `failed`, or the code of the first diagnosis of every case that fails.
    expect: String,
}

/// A change of the deployment's files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    file: String,
    from: String,
    to: String,
}

/// Every report.
pub(crate) fn tried() -> Vec<Tried> {
    let reports: Vec<Report> = serde_json::from_str(include_str!("data/stack.json")).expect("reports");
    reports
        .into_iter()
        .map(|report| Tried::new(&report.id.clone(), &report.title.clone(), move || check(&report)))
        .collect()
}

/// Runs the report's cases and compares what failed with what is expected.
fn check(report: &Report) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    crate::common::copy(Path::new("../scenarios/spacemusic"), folder.path())
        .map_err(|error| error.to_string())?;
    std::fs::write(
        folder.path().join("minio/callback-at-api.yaml"),
        include_str!("data/callback-at-api.yaml"),
    )
    .map_err(|error| error.to_string())?;
    if let Some(Change { file, from, to }) = &report.change {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        if text.matches(from.as_str()).count() != 1 {
            return Err(format!("`{from}` does not stand once in {file}"));
        }
        std::fs::write(&path, text.replace(from, to)).map_err(|error| error.to_string())?;
    }
    let deployment = Arc::new(Deployment::load(folder.path()).map_err(|problem| problem.to_string())?);
    let cases =
        scenario::load(&deployment, &[folder.path().to_owned()]).map_err(|problem| problem.to_string())?;
    let selection = Selection { filters: report.filter.clone(), ..Selection::default() };
    let cases: Vec<_> = cases.into_iter().filter(|case| selection.takes(case)).map(Arc::new).collect();
    if let Some(nothing) =
        report.filter.iter().find(|word| !cases.iter().any(|case| case.id.contains(word.as_str())))
    {
        return Err(format!("no case is named {nothing}"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let (mut causes, mut untried) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        let fault = match &report.fault {
            Some(name) => Some(faults::find(name).ok_or_else(|| format!("no fault is named {name}"))?),
            None => None,
        };
        let stack = Embedded::start_with(deployment.clone(), fault).await;
        let stack = stack.map_err(|error| error.to_string())?;
        let options = Options { jobs: 4, fail_fast: false, repeat: 1 };
        runner::run(cases, deployment, Arc::new(stack), options, |event| {
            let Event::CaseFinished(case) = event else { return };
            let id = case.case.id.clone();
            match case.verdict {
                Verdict::Passed | Verdict::Warned => {}
                verdict if verdict.fails_run() => {
                    let cause = case.diagnoses.first().map_or("no cause", |cause| cause.code);
                    causes.push((id, cause.to_owned()));
                }
                verdict => untried.push((id, verdict)),
            }
        })
        .await;
        Ok::<(), String>(())
    })?;
    if !untried.is_empty() {
        return Err(format!("nothing is known of {untried:?}"));
    }
    let right = match report.expect.as_str() {
        "passed" => causes.is_empty(),
        "failed" => !causes.is_empty(),
        code => !causes.is_empty() && causes.iter().all(|(_, cause)| cause == code),
    };
    if right { Ok(()) } else { Err(format!("expected {}, got {causes:?}", report.expect)) }
}
