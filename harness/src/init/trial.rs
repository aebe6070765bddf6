//! The library tried on a draft, on the embedded stack: what fits, and what fails today.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ssoproof_deployment::{Deployment, Located, Problem, Source};

use super::draft::Draft;
use super::{InitError, render};
use crate::reports::because;
use crate::runner::{self, Event, Options, Verdict};
use crate::scenario;
use crate::stacks::Embedded;

/// Runs the cases of every family that fits.
///
/// # Errors
/// [`InitError`] when the draft makes no deployment, or when the embedded stack does not start.
pub(super) async fn run(draft: &mut Draft) -> Result<(), InitError> {
    let deployment = Arc::new(as_written(draft)?);
    let loaded = scenario::read_library(&deployment)?;
    for case in &loaded.cases {
        let family = case.id.split('/').next().unwrap_or_default();
        *draft.families.entry(family.to_owned()).or_default() += 1;
    }
    draft.families.retain(|_, cases| *cases > 0);
    let of_used =
        |scenario: &str| scenario.split('/').next().is_some_and(|family| draft.families.contains_key(family));
    draft.left_out = loaded.left_out.iter().filter(|one| of_used(&one.scenario)).count();

    let stack = Arc::new(Embedded::start(deployment.clone()).await?);
    let cases: Vec<_> = loaded.cases.into_iter().map(Arc::new).collect();
    let options = Options { jobs: runner::usual_jobs(), fail_fast: false, repeat: 1 };
    let ids: Vec<(String, String)> =
        cases.iter().map(|case| (case.id.clone(), case.scenario.file.id.value.clone())).collect();
    let mut failed: BTreeMap<String, String> = BTreeMap::new();
    runner::run(cases, deployment, stack, options, |event| {
        if let Event::CaseFinished(outcome) = event
            && matches!(outcome.verdict, Verdict::Failed | Verdict::Error)
        {
            failed.insert(outcome.case.id.clone(), because(&outcome));
        }
    })
    .await;
    draft.failures = shortened(&ids, failed);
    Ok(())
}

/// The deployment that the draft's own text states, with every family of the library. The folder it will be in need not
/// be there yet, so the Traefik files are named from the root.
fn as_written(draft: &mut Draft) -> Result<Deployment, Problem> {
    draft.families = scenario::families().into_keys().map(|family| (family, 0)).collect();
    let whole = Located::nowhere(draft.traefik.clone());
    let named = std::mem::replace(&mut draft.deployment.traefik.dynamic, whole);
    let source = Source::inline("deployment.yaml", &render::text(draft));
    draft.deployment.traefik.dynamic = named;
    Deployment::of(&source, &draft.deployment.folder)
}

/// The failing cases, those of a scenario that fails as a whole as one entry.
fn shortened(ids: &[(String, String)], failed: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut whole: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (id, scenario) in ids {
        let end = id.find(scenario.as_str()).map_or(id.len(), |at| at + scenario.len());
        whole.entry(id[..end].to_owned()).or_default().insert(id);
    }
    let mut entries = failed;
    for (scenario, cases) in whole {
        if cases.len() > 1 && cases.iter().all(|id| entries.contains_key(*id)) {
            let mut reasons =
                cases.iter().filter_map(|id| entries.remove(*id)).collect::<Vec<_>>().into_iter();
            entries.insert(format!("{scenario}/*"), reasons.next().unwrap_or_default());
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_that_fails_as_a_whole_is_one_entry() {
        let id = |case: &str, scenario: &str| (case.to_owned(), scenario.to_owned());
        let ids = [
            id("a/one/x", "one"),
            id("a/one/y", "one"),
            id("a/two/x", "two"),
            id("a/two/y", "two"),
            id("a/three", "three"),
        ];
        let failed =
            ["a/one/x", "a/one/y", "a/two/x", "a/three"].map(|case| (case.to_owned(), "why".to_owned()));
        let entries: Vec<String> = shortened(&ids, failed.into()).into_keys().collect();
        assert_eq!(entries, ["a/one/*", "a/three", "a/two/x"]);
    }
}
