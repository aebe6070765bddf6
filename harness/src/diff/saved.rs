//! A run that is kept: what every case did, to be compared later.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ssoproof_deployment::{Deployment, Problem};

use super::record::CaseRecord;
use crate::reports::write_private;

/// What the first field of a saved run says.
const FORMAT: &str = "ssoproof-run";
/// The number of this form. A change that an older program would misread raises it.
const NUMBER: u32 = 2;
/// The longest file read, in bytes.
const LONGEST: u64 = 256 << 20;

/// The versions of a run, `major.minor` or longer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Authentik's.
    pub authentik: String,
    /// Traefik's.
    pub traefik: String,
}

/// What every case of a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The deployment's name.
    pub deployment: String,
    /// The kind of stack.
    pub stack: String,
    /// The versions.
    pub versions: Versions,
    /// What was asked for beside the deployment's own components; empty for nothing.
    pub with: String,
    /// The cases by name.
    cases: BTreeMap<String, Arc<CaseRecord>>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    number: u32,
    deployment: String,
    stack: String,
    versions: Versions,
    cases: Vec<Arc<CaseRecord>>,
}

/// The part by which a file is recognised.
#[derive(Deserialize)]
struct Head {
    format: String,
    number: u32,
}

/// Why a file is no saved run.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It cannot be read.
    #[error("failed to read `{path}`: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is too long.
    #[error("`{path}` is longer than 256 MiB")]
    TooLong {
        /// The file.
        path: String,
    },
    /// It is something else.
    #[error("`{path}` is no saved run: {reason}")]
    Foreign {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A newer program has written it.
    #[error("`{path}` is a saved run of form {number}; this program reads forms up to {NUMBER}")]
    Newer {
        /// The file.
        path: String,
        /// Its form.
        number: u32,
    },
}

impl Run {
    /// A run without cases.
    pub fn new(deployment: &Deployment, stack: &str) -> Self {
        Self {
            deployment: deployment.name.clone(),
            stack: stack.to_owned(),
            versions: Versions {
                authentik: deployment.versions.authentik.clone(),
                traefik: deployment.versions.traefik.clone(),
            },
            with: String::new(),
            cases: BTreeMap::new(),
        }
    }

    /// Adds a case; the first of several rounds is kept.
    pub fn add(&mut self, case: CaseRecord) {
        self.cases.entry(case.id.clone()).or_insert_with(|| Arc::new(case));
    }

    /// The case of this name.
    pub fn case(&self, id: &str) -> Option<&Arc<CaseRecord>> {
        self.cases.get(id)
    }

    /// The names of the cases, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.cases.keys().map(String::as_str)
    }

    /// Leaves the cases that `takes` takes.
    pub fn retain(&mut self, takes: impl Fn(&str) -> bool) {
        self.cases.retain(|id, _| takes(id));
    }

    /// What it is a run of.
    pub fn title(&self) -> String {
        let Versions { authentik, traefik } = &self.versions;
        let with = if self.with.is_empty() { String::new() } else { format!(" with {}", self.with) };
        format!("{} stack, Authentik {authentik}, Traefik {traefik}{with}", self.stack)
    }
}

/// Writes `run` to a file that its owner alone can read.
///
/// # Errors
/// A [`Problem`] when it cannot be written.
pub fn write(run: &Run, path: &Path) -> Result<(), Problem> {
    let document = Document {
        format: FORMAT.to_owned(),
        number: NUMBER,
        deployment: run.deployment.clone(),
        stack: run.stack.clone(),
        versions: run.versions.clone(),
        cases: run.cases.values().cloned().collect(),
    };
    let text = serde_json::to_string(&document)
        .map_err(|error| Problem::new(format!("failed to write `{}`: {error}", path.display())))?;
    write_private(path, &format!("{text}\n"))
}

/// Reads the run saved in the file at `path`.
///
/// # Errors
/// [`SavedError`].
pub fn load(path: &Path) -> Result<Run, SavedError> {
    let shown = path.display().to_string();
    let failed = |error| SavedError::Read { path: shown.clone(), error };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        return Err(SavedError::TooLong { path: shown });
    }
    let foreign = |reason: String| SavedError::Foreign { path: shown.clone(), reason };
    let head: Head = serde_json::from_slice(&bytes).map_err(|error| foreign(error.to_string()))?;
    if head.format != FORMAT {
        return Err(foreign(format!("its format is `{}`", head.format.escape_debug())));
    }
    if head.number > NUMBER {
        return Err(SavedError::Newer { path: shown, number: head.number });
    }
    let document: Document = serde_json::from_slice(&bytes).map_err(|error| foreign(error.to_string()))?;
    let cases = document.cases.into_iter().map(|case| (case.id.clone(), case)).collect();
    let Document { deployment, stack, versions, .. } = document;
    Ok(Run { deployment, stack, versions, with: String::new(), cases })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_saved_run_reads_back_the_same() {
        let mut run = Run {
            deployment: "d".into(),
            stack: "embedded".into(),
            versions: Versions { authentik: "2026.2".into(), traefik: "3.6".into() },
            with: String::new(),
            cases: BTreeMap::new(),
        };
        run.add(CaseRecord { id: "a/b".into(), holds: Some(true), ..CaseRecord::default() });
        let file = tempfile::NamedTempFile::new().unwrap();
        write(&run, file.path()).unwrap();
        assert_eq!(load(file.path()).unwrap(), run);
    }

    #[test]
    fn foreign_and_newer_files_are_refused() {
        let refusal = |text: &str| load(file(text).path()).unwrap_err();
        assert!(matches!(refusal("{}"), SavedError::Foreign { .. }));
        assert!(matches!(refusal("versions: {}"), SavedError::Foreign { .. }));
        assert!(matches!(refusal(r#"{"format":"other","number":1}"#), SavedError::Foreign { .. }));
        assert!(matches!(refusal(r#"{"format":"ssoproof-run","number":1}"#), SavedError::Foreign { .. }));
        assert!(matches!(
            refusal(r#"{"format":"ssoproof-run","number":3}"#),
            SavedError::Newer { number: 3, .. }
        ));
    }

    #[test]
    fn a_run_of_the_first_form_has_no_times() {
        let hop = r#"{"actor":"a","cause":"c","method":"GET","host":"h","path":"/","status":200,"error":null,"location":null,"cookies":[],"headers":{},"arrived":{},"claims":{},"fields":{},"text":null}"#;
        let case = format!(
            r#"{{"id":"a","requirements":[],"verdict":"passed","holds":true,"broken":null,"hops":[{hop}]}}"#
        );
        let text = format!(
            r#"{{"format":"ssoproof-run","number":1,"deployment":"d","stack":"s","versions":{{"authentik":"1","traefik":"2"}},"cases":[{case}]}}"#
        );
        let run = load(file(&text).path()).unwrap();
        assert_eq!(run.case("a").unwrap().hops[0].took, None);
    }
}
