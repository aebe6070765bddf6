//! What every diagnosis says, in `snapshots/diagnoses/`, each of the first fault that expects it; and that none says
//! anything where nothing is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt as _;
use regex::Regex;
use ssoproof::diagnoses::{self, Subject};
use ssoproof::runner::{self, CaseOutcome, Event, Options};
use ssoproof::scenario::{self, Case, by_scenario};
use ssoproof::stacks::{Embedded, Stack as _};
use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::{self, Fault};
use tokio::runtime::Runtime;

const SPACEMUSIC: &str = "../scenarios/spacemusic";
/// How many stacks there are at once.
const STACKS: usize = 4;

/// The scenarios that do by themselves what a diagnosis knows as a cause, and expect what comes of it.
const PROVOKED: &[(&str, &[&str])] = &[
    ("SSO-C03", &["core-session-forged", "proxy-session-forged", "proxy-session-twice"]),
    ("SSO-H06", &["header-auth-endpoint"]),
    ("SSO-J01", &["minio-other-audience"]),
    ("SSO-K03", &["minio-claim-granted"]),
    ("SSO-K04", &["minio-claim-names-nothing", "minio-group-removed"]),
    (
        "SSO-L01",
        &["sign-out-by-query", "sign-out-outpost", "sign-out-outpost-everywhere", "sign-out-outpost-rd"],
    ),
    ("SSO-L04", &["bridge-left-over-cookie"]),
    ("SSO-L06", &["outpost-without-providers"]),
    ("SSO-L07", &["outpost-without-providers"]),
    ("SSO-L08", &["end-session-pending-flow", "end-session-pending-flow-anonymous", "end-session-post"]),
    ("SSO-M01", &["minio-unknown-group"]),
    (
        "SSO-O01",
        &[
            "redirect-uri-missing",
            "redirect-uri-near-miss",
            "redirect-uri-of-other-app",
            "redirect-uri-refused",
            "redirect-uri-refused-anonymous",
            "redirect-uris-changed",
            "redirect-uris-regex",
        ],
    ),
    ("SSO-O02", &["minio-key-back", "minio-no-signing-key"]),
    (
        "SSO-O03",
        &[
            "grafana-groups-in-userinfo-only",
            "minio-claim-missing",
            "minio-groups-in-userinfo-only",
            "oidc-no-mappings",
            "oidc-scope-openid",
        ],
    ),
    ("SSO-O04", &["redirect-uris-changed", "redirect-uris-regex"]),
    ("SSO-O05", &["token-endpoint-anonymous", "token-wrong-redirect-uri", "token-wrong-secret"]),
    ("SSO-O06", &["unknown-client"]),
    ("SSO-O08", &["oidc-unknown-app"]),
    ("SSO-O09", &["oidc-no-mappings"]),
    (
        "SSO-P01",
        &[
            "outpost-one-provider",
            "outpost-signed-in",
            "outpost-without-providers",
            "way-around-host",
            "way-around-host-case",
        ],
    ),
    (
        "SSO-P06",
        &[
            "bridge-forged-cookie-open-path",
            "bridge-left-over-cookie",
            "bridge-open-path-signed-in",
            "deploy-unpatched",
        ],
    ),
    ("SSO-S01", &["outpost-callback", "outpost-callback-of-other", "outpost-callback-replayed"]),
    ("SSO-S03", &["outpost-callback-swapped"]),
    ("SSO-S04", &["login-return-doubled-slash"]),
    ("SSO-S05", &["way-around-logout-parameter"]),
];

/// The deployment and its cases: the first of every scenario, and the others.
fn suite() -> (Arc<Deployment>, Vec<Arc<Case>>, Vec<Arc<Case>>) {
    let deployment = Deployment::load(Path::new(SPACEMUSIC)).expect("deployment");
    let cases = scenario::load(&deployment, &[SPACEMUSIC.into()]).expect("scenarios");
    let (first, others) = by_scenario(cases.into_iter().map(Arc::new).collect());
    (Arc::new(deployment), first, others)
}

async fn outcomes(
    deployment: &Arc<Deployment>,
    stack: Arc<Embedded>,
    cases: Vec<Arc<Case>>,
) -> Vec<Arc<CaseOutcome>> {
    let mut outcomes = Vec::new();
    let options = Options { jobs: 4, fail_fast: false, repeat: 1 };
    runner::run(cases, deployment.clone(), stack, options, |event| {
        if let Event::CaseFinished(outcome) = event {
            outcomes.push(outcome);
        }
    })
    .await;
    outcomes.sort_by(|one, other| one.case.id.cmp(&other.case.id));
    outcomes
}

#[test]
fn no_diagnosis_says_anything_where_nothing_is_wrong() {
    let (deployment, cases, _) = suite();
    let said = Runtime::new().expect("threads").block_on(async {
        let stack = Arc::new(Embedded::start(deployment.clone()).await.expect("stack"));
        let outcomes = outcomes(&deployment, stack.clone(), cases).await;
        let traefik = stack.traefik_files();
        let mut said: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for outcome in &outcomes {
            let ledger = outcome.ledger.unprovoked();
            let subject = Subject::new(&deployment, traefik, &[], &outcome.case, &[], &ledger);
            for diagnosed in diagnoses::examine(&subject) {
                said.entry(diagnosed.code).or_default().insert(outcome.case.scenario.file.id.value.clone());
            }
        }
        said
    });
    let provoked: BTreeMap<&str, BTreeSet<String>> = PROVOKED
        .iter()
        .map(|(code, scenarios)| (*code, scenarios.iter().map(ToString::to_string).collect()))
        .collect();
    assert_eq!(said, provoked);
}

/// What `code` says in the first case that it is the cause of.
fn said(code: &str, outcomes: &[Arc<CaseOutcome>]) -> Option<String> {
    let (outcome, diagnosed) = outcomes.iter().find_map(|outcome| {
        let first = outcome.diagnoses.first().filter(|diagnosed| diagnosed.code == code)?;
        Some((outcome, first))
    })?;
    let mut text = format!("cause   {}\n", outcome.redactor().redact(&diagnosed.title));
    if let Some(pointer) = &diagnosed.pointer {
        let _ = writeln!(text, "at      {pointer}");
    }
    let _ = writeln!(text, "mend    {}", outcome.redactor().redact(&diagnosed.help));
    Some(text)
}

/// What the diagnosis of `fault` says under it.
async fn under(
    fault: &'static Fault,
    deployment: &Arc<Deployment>,
    first: &[Arc<Case>],
    others: &[Arc<Case>],
) -> String {
    let stack = Embedded::start_with(deployment.clone(), Some(fault)).await;
    let stack = Arc::new(stack.unwrap_or_else(|error| panic!("{}: {error}", fault.name)));
    let proves = |case: &&Arc<Case>| {
        case.scenario.file.requirements.iter().any(|requirement| requirement.value == fault.breaks)
    };
    let (likely, unlikely): (Vec<_>, Vec<_>) = first.iter().partition(proves);
    for some in [likely, others.iter().filter(proves).collect(), unlikely] {
        let some = some.into_iter().cloned().collect();
        if let Some(text) = said(fault.diagnosis, &outcomes(deployment, stack.clone(), some).await) {
            return format!("fault   {}: {}\n{text}", fault.name, fault.story);
        }
    }
    panic!("{} is the cause of no case under {}", fault.diagnosis, fault.name);
}

#[test]
fn every_diagnosis_says_what_it_said() {
    let (deployment, first, others) = suite();
    let mut faulty: BTreeMap<&str, &'static Fault> = BTreeMap::new();
    for fault in faults::all() {
        faulty.entry(fault.diagnosis).or_insert(fault);
    }
    let texts: Vec<(&str, String)> = Runtime::new().expect("threads").block_on(async {
        let texts = futures::stream::iter(faulty.into_values())
            .map(async |fault| (fault.diagnosis, under(fault, &deployment, &first, &others).await));
        texts.buffered(STACKS).collect().await
    });
    let new = [
        ("127\\.0\\.0\\.1:\\d+", "127.0.0.1:<port>"),
        ("authentik_proxy_[0-9a-f]{8}", "authentik_proxy_<id>"),
        ("[A-Za-z0-9_-]{60,}", "<kid>"),
        ("`sub` is `\\d+`", "`sub` is `<pk>`"),
        ("/\\S*/\\.tmp\\w+/", "<folder>/"),
        ("\\d+ ms( and still open)?, \\d+ of \\d+ anonymous", "<n> ms$1, <n> of <n> anonymous"),
    ]
    .map(|(pattern, kind)| (Regex::new(pattern).expect("pattern"), kind));
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(std::path::absolute("../snapshots/diagnoses").expect("folder"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (code, mut text) in texts {
            for (pattern, kind) in &new {
                text = pattern.replace_all(&text, *kind).into_owned();
            }
            insta::assert_snapshot!(code, text);
        }
    });
}
