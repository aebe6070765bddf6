//! The checks that faults have failed so far: `caught.yaml` beside `deployment.yaml`. One that no fault fails any more
//! has been taken out of its scenario, or has lost what it was good for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use ssoproof_deployment::{Deployment, Located, Problem, Source};

use super::matrix::Matrix;
use crate::scenario::CAUGHT;

/// What stands in the file before the scenarios.
const HEADER: &str = "# The checks of every scenario that some fault fails, as `step.check`: `ssoproof faults` asks for each of them,
# `ssoproof faults --accept` writes them anew.
";

/// Checks by scenario, as the file has them.
#[derive(Debug, Default, Deserialize)]
pub struct Held {
    scenarios: BTreeMap<String, Vec<Located<String>>>,
}

/// A check that no fault fails any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The scenario.
    pub scenario: String,
    /// Its checks, `2.backend`.
    pub checks: Vec<String>,
}

impl Held {
    /// Reads what `deployment` holds; nothing where it has no such file.
    ///
    /// # Errors
    /// A [`Problem`] when the file does not parse.
    pub fn read(deployment: &Deployment) -> Result<Self, Problem> {
        let path = file(deployment);
        if !path.exists() {
            return Ok(Self::default());
        }
        let source = Source::read(&path)?;
        let scenarios: Option<BTreeMap<String, Vec<Located<String>>>> = source.yaml()?;
        Ok(Self { scenarios: scenarios.unwrap_or_default() })
    }

    /// What of it `matrix`, of all faults, does not show. Scenarios that did not run count when `whole` asks for all.
    pub fn lost(&self, matrix: &Matrix, whole: bool) -> Vec<Lost> {
        let failed: BTreeMap<&str, BTreeSet<String>> = matrix
            .columns
            .iter()
            .map(|column| {
                let checks = matrix.failed(column).iter().map(ToString::to_string).collect();
                (column.scenario.as_str(), checks)
            })
            .collect();
        let mut lost = Vec::new();
        for (scenario, checks) in &self.scenarios {
            let failed = failed.get(scenario.as_str());
            if failed.is_none() && !whole {
                continue;
            }
            let gone =
                checks.iter().filter(|check| failed.is_none_or(|failed| !failed.contains(check.as_str())));
            let checks: Vec<String> = gone.map(|check| check.value.clone()).collect();
            if !checks.is_empty() {
                lost.push(Lost { scenario: scenario.clone(), checks });
            }
        }
        lost
    }
}

/// Writes what `matrix` shows.
///
/// # Errors
/// A [`Problem`] when the file cannot be written.
pub fn accept(matrix: &Matrix, deployment: &Deployment) -> Result<(), Problem> {
    write(&file(deployment), &text(matrix))
}

fn file(deployment: &Deployment) -> PathBuf {
    deployment.folder.join(CAUGHT)
}

fn text(matrix: &Matrix) -> String {
    let mut text = HEADER.to_owned();
    for column in &matrix.columns {
        let checks: Vec<String> = matrix.failed(column).iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "{}: [{}]", column.scenario, checks.join(", "));
    }
    text
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    std::fs::write(path, text)
        .map_err(|error| Problem::new(format!("failed to write `{}`: {error}", path.display())))
}
