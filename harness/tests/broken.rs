//! Deployments broken in the ways that operators break them: each fails where it should, with its own cause, and
//! nowhere else.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use ssoproof::runner::{self, Event, Options};
use ssoproof::scenario;
use ssoproof::stacks::Embedded;
use ssoproof_deployment::Deployment;

/// What a run of a broken deployment came to.
struct Outcome {
    /// The failing cases by requirement.
    failed: BTreeMap<String, BTreeSet<String>>,
    /// The first diagnosis of every failing case, with the line it points at.
    causes: BTreeSet<String>,
}

impl Outcome {
    fn requirements(&self) -> Vec<&str> {
        self.failed.keys().map(String::as_str).collect()
    }

    /// The services that failing cases are about, by the values of their matrices.
    fn cases(&self) -> BTreeSet<&str> {
        self.failed.values().flatten().map(String::as_str).collect()
    }
}

/// Runs every case of a copy of the SpaceMusic deployment in which `from` is `to` in `file`.
fn run(file: &str, from: &str, to: &str) -> Outcome {
    let folder = tempfile::tempdir().expect("temporary folder");
    common::copy(Path::new("../scenarios/spacemusic"), folder.path()).expect("copied");
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).expect("file");
    assert_eq!(text.matches(from).count(), 1, "`{from}` stands once in {file}");
    std::fs::write(&path, text.replace(from, to)).expect("written");

    let deployment = Arc::new(Deployment::load(folder.path()).expect("deployment"));
    let cases = scenario::load(&deployment, &[folder.path().to_owned()]).expect("scenarios");
    let cases = cases.into_iter().map(Arc::new).collect();
    let mut outcome = Outcome { failed: BTreeMap::new(), causes: BTreeSet::new() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let stack = Arc::new(Embedded::start(deployment.clone()).await.expect("stack"));
        let options = Options { jobs: 8, fail_fast: false, repeat: 1 };
        runner::run(cases, deployment, stack, options, |event| {
            let Event::CaseFinished(case) = event else { return };
            if !case.verdict.fails_run() {
                return;
            }
            let file = &case.case.scenario.file;
            for requirement in &file.requirements {
                outcome.failed.entry(requirement.value.clone()).or_default().insert(case.case.id.clone());
            }
            outcome.causes.insert(match case.diagnoses.first() {
                Some(cause) => {
                    let at = cause.pointer.as_ref().map(|at| format!(" {}", at.text)).unwrap_or_default();
                    format!("{}{at}", cause.code)
                }
                None => format!("no cause for {}", case.case.id),
            });
        })
        .await;
    });
    outcome
}

const DOCS: &str = "rule: Host(`docs.spacemusic.tv`)\n      entryPoints: [websecure]\n";

#[test]
fn a_router_without_the_middleware_lets_everybody_in() {
    let from = format!("{DOCS}      middlewares: [authentik@file]\n");
    let outcome = run("traefik/services.yml", &from, DOCS);
    for requirement in ["ROUTE-2", "HDR-7", "LOGIN-1"] {
        assert!(outcome.failed.contains_key(requirement), "{requirement} of {:?}", outcome.requirements());
    }
    assert_eq!(outcome.causes, BTreeSet::from(["SSO-R03 docs:".to_owned()]));
    let cases = outcome.cases();
    let of_services: Vec<&&str> = cases
        .iter()
        .filter(|id| {
            ["/login-redirect/", "/router-of-service/", "/forged-header-everywhere/"]
                .iter()
                .any(|part| id.contains(part))
        })
        .collect();
    assert_eq!(
        of_services,
        [
            &"headers/forged-header-everywhere/docs",
            &"login/login-redirect/docs",
            &"routing/router-of-service/docs"
        ]
    );
}

#[test]
fn a_host_missing_from_the_outpost_router_loops() {
    let outcome = run("traefik/authentik.yml", "        || Host(`edit.spacemusic.com`)\n", "");
    for requirement in ["ROUTE-1", "LOGIN-1", "LOGIN-2"] {
        assert!(outcome.failed.contains_key(requirement), "{requirement} of {:?}", outcome.requirements());
    }
    assert!(
        outcome.failed["LOGIN-1"].iter().all(|id| id.ends_with("/uwd-spacemusic")),
        "{:?}",
        outcome.cases()
    );
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-R04")), "{:?}", outcome.causes);
}

#[test]
fn a_middleware_that_is_not_defined_disables_its_router() {
    let from = format!("{DOCS}      middlewares: [authentik@file]\n");
    let outcome = run("traefik/services.yml", &from, &from.replace("authentik@file", "authentic@file"));
    assert!(outcome.failed.contains_key("LOGIN-1"));
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-R02")), "{:?}", outcome.causes);
}

#[test]
fn a_misspelt_field_takes_the_whole_folder_down() {
    let outcome = run(
        "traefik/apps.yml",
        "      rule: Host(`storage.spacemusic.tv`)\n",
        "      rules: Host(`storage.spacemusic.tv`)\n",
    );
    assert!(outcome.failed.contains_key("LOGIN-1"));
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-R01 rules:")), "{:?}", outcome.causes);
}

#[test]
fn roles_in_the_wrong_order_make_admins_editors() {
    let from = "contains(groups[*], 'spacemusic-admins') && 'Admin' || contains(groups[*], 'spacemusic-studio') && 'Editor'";
    let to = "contains(groups[*], 'spacemusic-studio') && 'Editor' || contains(groups[*], 'spacemusic-viewers') && 'Admin'";
    let outcome = run("deployment.yaml", from, to);
    assert!(outcome.failed.contains_key("GRAF-1"));
    assert!(
        outcome.requirements().iter().all(|id| id.starts_with("GRAF") || *id == "LOGOUT-3"),
        "{:?}",
        outcome.requirements()
    );
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-G01")), "{:?}", outcome.causes);
}

#[test]
fn another_claim_name_leaves_minio_without_policies() {
    let outcome = run("deployment.yaml", "claim_name: groups", "claim_name: policy");
    assert!(outcome.failed.contains_key("MINIO-1"));
    assert!(outcome.cases().iter().all(|id| id.starts_with("minio")), "{:?}", outcome.cases());
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-O03")), "{:?}", outcome.causes);
}

#[test]
fn no_signing_key_is_named_where_minio_refuses() {
    let from = "redirect_uris: [https://storage.spacemusic.tv/oauth_callback]\n      scopes: [openid, profile, email]\n      signing_key: dedicated_rsa";
    let outcome = run("deployment.yaml", from, &from.replace("dedicated_rsa", "none"));
    assert!(outcome.failed.contains_key("MINIO-3"));
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-O02")), "{:?}", outcome.causes);
}

#[test]
fn a_dropped_header_is_missing_and_can_be_forged() {
    let outcome = run("traefik/authentik.yml", "          - X-authentik-email\n", "");
    for requirement in ["HDR-2", "HDR-7"] {
        assert!(outcome.failed.contains_key(requirement), "{requirement} of {:?}", outcome.requirements());
    }
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-H01")), "{:?}", outcome.causes);
}

#[test]
fn a_provider_left_out_of_the_outpost_gets_a_404() {
    let from = "    upstream: http://docs:80\n";
    let outcome = run("deployment.yaml", from, &format!("{from}    in_outpost: false\n"));
    for requirement in ["LOGIN-1", "LOGIN-2"] {
        assert!(outcome.failed.contains_key(requirement), "{requirement} of {:?}", outcome.requirements());
    }
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-P01")), "{:?}", outcome.causes);
}

#[test]
fn a_comma_as_separator_is_not_what_arrives() {
    let outcome = run("deployment.yaml", "  group_separator: \"|\"", "  group_separator: \",\"");
    assert!(outcome.failed.contains_key("HDR-6"));
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-H02")), "{:?}", outcome.causes);
}

#[test]
fn another_redirect_uri_is_refused() {
    let from = "redirect_uris: [https://dashboard.spacemusic.tv/login/generic_oauth]";
    let outcome = run("deployment.yaml", from, &from.replace("generic_oauth", "generic_oauth/"));
    assert!(outcome.failed.contains_key("GRAF-1"));
    assert!(outcome.causes.iter().all(|cause| cause.starts_with("SSO-O01")), "{:?}", outcome.causes);
}
