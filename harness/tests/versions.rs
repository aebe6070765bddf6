//! What every version that is modelled does otherwise than the deployment's own, in `snapshots/versions/`.
//! `cargo insta review` shows what a change of the embedded stack does to them.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use ssoproof::diff::{self, Run, Side, Verdict};
use ssoproof::scenario::{self, by_scenario};
use ssoproof::stacks::StackChoice;
use ssoproof_deployment::Deployment;

const SPACEMUSIC: &str = "../scenarios/spacemusic";

/// A run of the first case of every scenario, with these versions in place of the deployment's own.
fn run(versions: Option<&str>) -> Run {
    let mut deployment = Deployment::load(Path::new(SPACEMUSIC)).expect("deployment");
    if let Some(versions) = versions {
        versions.parse::<Side>().expect("versions").apply(&mut deployment);
    }
    let cases = scenario::load(&deployment, &[SPACEMUSIC.into()]).expect("scenarios");
    let (first, _) = by_scenario(cases.into_iter().map(Arc::new).collect());
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime
        .block_on(diff::run(Arc::new(deployment), first, &StackChoice::Embedded(None), || {}, || {}))
        .expect("run")
}

/// The run with the deployment's own versions.
fn own() -> &'static Run {
    static OWN: OnceLock<Run> = OnceLock::new();
    OWN.get_or_init(|| run(None))
}

fn outline(versions: &str) -> String {
    diff::outline(&diff::report(own(), &run(Some(versions))))
}

fn unchanged(name: &str, outline: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(std::path::absolute("../snapshots/versions").expect("folder"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, outline));
}

#[test]
fn authentik_2025_8() {
    unchanged("authentik-2025.8", &outline("authentik=2025.8"));
}

#[test]
fn authentik_2025_12() {
    unchanged("authentik-2025.12", &outline("authentik=2025.12"));
}

#[test]
fn traefik_3_0() {
    unchanged("traefik-3.0", &outline("traefik=3.0"));
}

#[test]
fn traefik_3_7() {
    unchanged("traefik-3.7", &outline("traefik=3.7"));
}

#[test]
fn the_deployments_own_versions_do_not_differ_from_themselves() {
    let report = diff::report(own(), &run(None));
    assert_eq!(report.verdict(), Verdict::Safe, "{}", diff::text(&report, true));
}
