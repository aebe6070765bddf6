//! Cases that are known to fail for now: `expected-failures.yaml` beside `deployment.yaml`.

use regex::Regex;
use serde::Deserialize;
use ssoproof_deployment::{Deployment, Located, Problem, Source, Versions, suggestion};

use super::case::Case;

/// The file's name.
pub const EXPECTED_FAILURES: &str = "expected-failures.yaml";
/// The name of the file beside it that says which checks faults have failed.
pub const CAUGHT: &str = "caught.yaml";

/// Cases, and why they fail.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The name of a case; `*` stands for any text.
    case: Located<String>,
    /// Why.
    because: String,
    /// The versions with which they fail; with every one when left out.
    #[serde(default)]
    versions: Only,
}

/// Versions as `deployment.yaml` has them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Only {
    authentik: Option<String>,
    traefik: Option<String>,
    postgres: Option<String>,
    redis: Option<String>,
}

impl Only {
    fn holds(&self, versions: &Versions) -> bool {
        let pairs = [
            (&self.authentik, &versions.authentik),
            (&self.traefik, &versions.traefik),
            (&self.postgres, &versions.postgres),
            (&self.redis, &versions.redis),
        ];
        pairs.into_iter().all(|(only, version)| only.as_ref().is_none_or(|only| only == version))
    }
}

/// Marks the cases of the file. With `whole`, `cases` are all there are, and an entry that is about none is an error.
///
/// # Errors
/// A [`Problem`] when the file does not parse, or at an entry that is about no case.
pub(super) fn mark(deployment: &Deployment, cases: &mut [Case], whole: bool) -> Result<(), Problem> {
    let path = deployment.folder.join(EXPECTED_FAILURES);
    if !path.exists() {
        return Ok(());
    }
    let source = Source::read(&path)?;
    // A file of comments alone holds nothing.
    let entries: Option<Vec<Entry>> = source.yaml()?;
    for entry in entries.unwrap_or_default() {
        let pattern = format!("^{}$", regex::escape(&entry.case).replace(r"\*", ".*"));
        let pattern = Regex::new(&pattern);
        let pattern = pattern.map_err(|error| source.problem(entry.case.place, error.to_string()))?;
        let about = |case: &&mut Case| pattern.is_match(&case.id);
        let mut found = cases.iter_mut().filter(about).peekable();
        if whole && found.peek().is_none() {
            drop(found);
            let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
            let help = suggestion(&entry.case, &ids).filter(|help| help.starts_with("did you mean"));
            let problem = source.problem(entry.case.place, format!("there is no case `{}`", *entry.case));
            return Err(problem.with_help(help.or_else(|| Some("`ssoproof list` shows them all".to_owned()))));
        }
        if entry.versions.holds(&deployment.versions) {
            found.for_each(|case| case.expect_failure = Some(entry.because.clone()));
        }
    }
    Ok(())
}

/// A ready entry for a case that fails: what it takes to go on for now.
pub fn entry(case: &str, because: &str, versions: &Versions) -> String {
    // JSON's texts are YAML's.
    let text = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "- case: {case}\n  because: {}\n  versions: {{ authentik: {}, traefik: {} }}\n",
        text(because),
        text(&versions.authentik),
        text(&versions.traefik),
    )
}
