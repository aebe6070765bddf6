//! Putting a draft on disk.

use std::path::{Path, PathBuf};

use ssoproof_deployment::{Problem, Source};

use super::draft::Draft;
use super::render;
use crate::scenario::{EXPECTED_FAILURES, ScenarioFile, entry, scenario_files};

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// `deployment.yaml`.
    pub deployment: PathBuf,
    /// The cases that fail today, where there are any.
    pub failures: Option<PathBuf>,
}

/// What stands before the entries.
const HEADER: &str = "# What fails today. A case that passes although it stands here breaks the run: then its entry has done its work.\n";

/// Writes `draft` into the folder of its deployment, which is made when it is not there.
///
/// # Errors
/// A [`Problem`] when a file is there and `force` does not say that it may go, when other files in the folder would be
/// read as scenarios, and when nothing can be written.
pub fn write(draft: &Draft, force: bool) -> Result<Written, Problem> {
    let folder = &draft.deployment.folder;
    let (deployment, failures) = (folder.join("deployment.yaml"), folder.join(EXPECTED_FAILURES));
    for file in [&deployment, &failures] {
        if file.exists() && !force {
            let problem = Problem::new(format!("`{}` is there already", file.display()));
            let help = "`--force` writes it anew; `--output DIR` names another folder".to_owned();
            return Err(problem.with_help(help));
        }
    }
    no_others(draft)?;
    let failed = |path: &Path, error: std::io::Error| {
        Problem::new(format!("failed to write `{}`: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    std::fs::write(&deployment, render::text(draft)).map_err(|error| failed(&deployment, error))?;
    if draft.failures.is_empty() {
        // One from before would be about cases that pass now.
        if failures.exists() {
            std::fs::remove_file(&failures).map_err(|error| failed(&failures, error))?;
        }
        return Ok(Written { deployment, failures: None });
    }
    let versions = &draft.deployment.versions;
    let entries = draft.failures.iter().map(|(case, because)| entry(case, because, versions));
    let text: String = std::iter::once(HEADER.to_owned()).chain(entries).collect();
    std::fs::write(&failures, text).map_err(|error| failed(&failures, error))?;
    Ok(Written { deployment, failures: Some(failures) })
}

/// Proves that no other YAML file in the folder would be taken for a scenario.
fn no_others(draft: &Draft) -> Result<(), Problem> {
    let folder = &draft.deployment.folder;
    if !folder.is_dir() {
        return Ok(());
    }
    for path in scenario_files(&draft.deployment, folder)? {
        let read = Source::read(&path).and_then(|source| source.yaml::<ScenarioFile>().map(drop));
        if read.is_err() {
            let problem =
                Problem::new(format!("`{}` would be read as a scenario, and is none", path.display()));
            let help =
                "every .yaml file below the deployment's folder is one; name an empty folder with `--output`";
            return Err(problem.with_help(help.to_owned()));
        }
    }
    Ok(())
}
