//! The catalogue of faults fits the diagnoses and the deployment, and a run tells what it misses.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use ssoproof::{diagnoses, scenario};
use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults;

const SPACEMUSIC: &str = "../scenarios/spacemusic";

#[test]
fn the_catalogue_is_large_and_has_no_name_twice() {
    let names: BTreeSet<&str> = faults::all().map(|fault| fault.name).collect();
    assert_eq!(names.len(), faults::all().count());
    assert!(names.len() >= 80, "{} faults", names.len());
}

#[test]
fn every_fault_expects_a_diagnosis_that_there_is() {
    let codes: BTreeSet<&str> = diagnoses::ALL.iter().map(|diagnosis| diagnosis.code()).collect();
    assert_eq!(codes.len(), diagnoses::ALL.len(), "a code stands for two diagnoses");
    for fault in faults::all() {
        assert!(codes.contains(fault.diagnosis), "{} expects {}", fault.name, fault.diagnosis);
    }
}

/// What is no fault of the stack but its way: the real outpost's sign_out is undone like this. `--test cli` shows it.
const BY_DESIGN: &str = "SSO-L01";

#[test]
fn every_diagnosis_is_expected_by_a_fault() {
    let mut expected: BTreeSet<&str> = faults::all().map(|fault| fault.diagnosis).collect();
    expected.insert(BY_DESIGN);
    let unproven: Vec<&str> = diagnoses::ALL
        .iter()
        .map(|diagnosis| diagnosis.code())
        .filter(|code| !expected.contains(code))
        .collect();
    assert!(unproven.is_empty(), "no fault shows {unproven:?}");
}

#[test]
fn every_fault_breaks_a_requirement_that_there_is() {
    let deployment = Deployment::load(Path::new(SPACEMUSIC)).expect("deployment");
    for fault in faults::all() {
        let known = [&deployment.requirements, scenario::requirements()];
        let known = known.iter().any(|requirements| requirements.contains_key(fault.breaks));
        assert!(known, "{} breaks {}", fault.name, fault.breaks);
    }
}

/// Runs `ssoproof faults` on the shipped deployment and returns the exit code and the output.
fn run(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(["faults", "--deployment", SPACEMUSIC])
        .args(arguments)
        .output()
        .expect("ssoproof");
    (output.status.code().expect("exit code"), String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn a_fault_that_is_caught_and_named_is_fine() {
    let (code, text) = run(&["--fault", "middleware_dropped", "--filter", "router-of-service"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("✓ middleware_dropped"), "{text}");
}

#[test]
fn a_fault_that_nobody_catches_is_a_hole() {
    let (code, text) = run(&["--fault", "claim_name_is_policy", "--filter", "login-redirect"]);
    assert_eq!(code, 100, "{text}");
    assert!(text.contains("✗ claim_name_is_policy") && text.contains("caught by nobody"), "{text}");
}

#[test]
fn what_some_cases_do_not_catch_is_no_hole() {
    let (code, text) = run(&["--filter", "header-username"]);
    assert!(text.contains("caught by none of these cases") && !text.contains('✗'), "{text}");
    assert_eq!(code, 0, "{text}");
}

/// Every fault lets this step fail the case before the check is looked at, unless it comes right before the check's own.
#[test]
fn a_check_that_only_a_later_fault_fails_is_missed_when_it_is_gone() {
    let folder = tempfile::tempdir().expect("folder");
    common::copy(Path::new(SPACEMUSIC), folder.path()).expect("copied");
    let scenario = folder.path().join("access/access-given.yaml");
    let text = std::fs::read_to_string(&scenario).expect("scenario");
    let faults = |filter: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
            .args(["faults", "--filter", filter, "--deployment"])
            .arg(folder.path())
            .output()
            .expect("ssoproof");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let (code, told) = faults("access-given/");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("by a fault that comes right before their step"), "{told}");

    let check = "    expect: { ends: { status: 200 } }\n";
    assert_eq!(text.matches(check).count(), 1, "{text}");
    std::fs::write(&scenario, text.replace(check, "")).expect("written");
    let (code, told) = faults("access-given/");
    assert_eq!(code, Some(100), "{told}");
    assert!(told.contains("✗ access-given: failed by no fault any more: 4.ends"), "{told}");
}

/// The wire that a fault comes on lies behind the TLS that the service speaks.
#[test]
fn a_fault_comes_on_the_way_to_a_service_that_speaks_tls() {
    let folder = tempfile::tempdir().expect("folder");
    common::copy(Path::new(SPACEMUSIC), folder.path()).expect("copied");
    for file in ["deployment.yaml", "traefik/services.yml"] {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).expect("file");
        assert!(text.contains("http://stream:3000"), "{file}");
        std::fs::write(path, text.replace("http://stream:3000", "https://stream:3000")).expect("written");
    }
    let scenario = folder.path().join("login/tls-service-down.yaml");
    let text = "id: tls-service-down
promise: A service that is down is a 502, and comes back.
requirements: [LOGIN-2]
needs: [faults]
actors: { user: admin }
steps:
  - visit: $forward_auth.stream.url/
    sign_in: true
    expect: { ends: { status: 200, page: backend } }
  - fault: service_is_down
  - visit: $forward_auth.stream.url/
    expect: { ends: { status: 502 } }
  - fault: none
  - visit: $forward_auth.stream.url/
    expect: { ends: { status: 200, page: backend } }
";
    std::fs::write(scenario, text).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(["run", "--filter", "tls-service-down", "--filter", "stack/stack-outage", "--deployment"])
        .arg(folder.path())
        .output()
        .expect("ssoproof");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.ends_with("2 passed, 0 failed, 0 skipped\n"), "{told}");
}

#[test]
fn a_deployment_is_not_asked_to_catch_what_it_does_not_promise() {
    let output = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(["faults", "--deployment", "../scenarios/lantern"])
        .output()
        .expect("ssoproof");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{told}");
    // It has no MinIO, and nothing rewrites its files.
    assert!(told.contains("faults were left out") && !told.contains("policies_are_missing"), "{told}");
    assert!(told.contains("✓ session_not_stored"), "{told}");
}

/// The scenarios that `ssoproof` with these arguments fails.
fn failed(arguments: &[&str], of: fn(&serde_json::Value) -> BTreeSet<String>) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("folder");
    let json = folder.path().join("report.json");
    let output = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(arguments)
        .args(["--deployment", SPACEMUSIC, "--json", json.to_str().expect("path")])
        .output()
        .expect("ssoproof");
    let text = std::fs::read_to_string(&json);
    let text = text.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    of(&serde_json::from_str(&text).expect("JSON"))
}

/// What is not tried under a fault passes under it.
#[test]
fn the_reach_of_a_fault_leaves_out_nothing_that_fails() {
    let faults = ["binding_is_negated", "email_unlisted", "flow_is_gone", "everybody_is_trusted"];
    let narrow = ["bridge_is_missing", "sign_out_breaks", "provider_not_in_outpost", "outpost_router_loses"];
    for fault in faults.into_iter().chain(narrow) {
        let tried = failed(&["faults", "--whole", "--fault", fault], |matrix| {
            let failed = matrix["faults"][0]["failed"].as_object().expect("scenarios");
            failed.keys().cloned().collect()
        });
        let run = failed(&["run", "--fault", fault], |report| {
            let cases = report["cases"].as_array().expect("cases").iter();
            let failed = cases.filter(|case| case["verdict"] == "failed");
            failed.map(|case| case["scenario"].as_str().expect("scenario").to_owned()).collect()
        });
        assert!(!run.is_empty() && run.is_subset(&tried), "{fault}: {:?}", run.difference(&tried));
    }
}

#[test]
fn the_matrix_is_written_in_full() {
    let folder = tempfile::tempdir().expect("folder");
    let (json, html) = (folder.path().join("matrix.json"), folder.path().join("matrix.html"));
    let (code, text) = run(&[
        "--fault",
        "username_unlisted",
        "--filter",
        "header-username",
        "--json",
        json.to_str().expect("path"),
        "--html",
        html.to_str().expect("path"),
    ]);
    assert_eq!(code, 0, "{text}");
    let matrix: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(json).expect("JSON")).expect("JSON");
    assert_eq!(matrix["faults"][0]["caught"], "named");
    assert_eq!(matrix["faults"][0]["failed"]["header-username"]["causes"]["SSO-H01"], 1);
    let page = std::fs::read_to_string(html).expect("page");
    assert!(page.contains("username_unlisted") && !page.contains("<script"));
    assert!(page.contains(" checks failed by a fault, 0 of them by one that comes"), "{page}");
}

#[test]
fn an_unknown_fault_is_a_usage_error_with_the_nearest_name() {
    let output = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(["run", "--deployment", SPACEMUSIC, "--fault", "midleware_dropped"])
        .output()
        .expect("ssoproof");
    let complaint = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("middleware_dropped"), "{complaint}");
}

#[test]
fn faults_of_traefik_files_are_faults_of_toml_files_too() {
    let output = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(["faults", "--deployment", "../scenarios/lantern", "--fault", "middleware_dropped"])
        .args(["--filter", "login-redirect/", "--filter", "router-of-service/"])
        .output()
        .expect("ssoproof");
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(told.contains("✓ middleware_dropped") && told.contains("1 caught and named"), "{told}");
}
