//! `ssoproof diff`: a version does not differ from itself, and what is known to differ is found.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const SPACEMUSIC: &str = "../scenarios/spacemusic";

/// Runs `ssoproof` on the shipped deployment and returns the exit code, the output and the complaint.
fn ssoproof(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(arguments)
        .args(["--deployment", SPACEMUSIC])
        .output()
        .expect("ssoproof");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("exit code"), text(output.stdout), text(output.stderr))
}

/// Compares two sides over the cases that `filter` chooses; returns the exit code and the report.
fn diff(from: &str, to: &str, filter: &str) -> (i32, Value) {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("diff.json");
    let path = file.to_str().expect("path");
    let (code, text, complaint) =
        ssoproof(&["diff", "--from", from, "--to", to, "--filter", filter, "--json", path]);
    let report = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{code} {text} {complaint}"));
    (code, serde_json::from_str(&report).expect("JSON"))
}

/// The behaviour of this kind and subject.
fn behaviour<'a>(report: &'a Value, kind: &str, subject: &str) -> &'a Value {
    let all = report["behaviours"].as_array().expect("behaviours");
    let found = all.iter().find(|one| one["kind"] == kind && one["subject"] == subject);
    found.unwrap_or_else(|| panic!("no {kind} {subject} in {report:#}"))
}

#[test]
fn a_version_does_not_differ_from_itself() {
    for filter in ["login-redirect/", "access-allowed/stream", "oidc-tokens", "minio-read-write"] {
        let (code, report) = diff("authentik=2026.2", "authentik=2026.2", filter);
        assert_eq!((code, &report["verdict"]), (0, &Value::from("safe")), "{filter}: {report:#}");
        assert!(report["compared"].as_u64().expect("number") > 0, "{filter}");
        assert_eq!(report["behaviours"].as_array().expect("list").len(), 0, "{filter}");
    }
}

#[test]
fn what_differs_between_2025_8_and_2026_2_is_found_and_named() {
    let (code, report) = diff("authentik=2025.8", "authentik=2026.2", "oidc-tokens/grafana");
    assert_eq!((code, &report["verdict"]), (0, &Value::from("changed")));
    let verified = behaviour(&report, "claim", "id_token.email_verified");
    assert_eq!((&verified["from"], &verified["to"]), (&Value::from("true"), &Value::from("false")));
    assert_eq!(verified["severity"], "changed");
    assert_eq!(verified["known"][0]["since"], "2025.10");
    let hop = behaviour(&report, "hop", "GET /flows/-/default/authentication/");
    assert_eq!((&hop["from"], &hop["to"]), (&Value::from("302"), &Value::Null));
    assert_eq!(behaviour(&report, "claim", "id_token.jti")["from"], Value::Null);
    let scope = behaviour(&report, "claim", "access_token.scope");
    assert_eq!(scope["reason"], "a new claim");
    let hops = |side: &str| hop["example"][side]["hops"].as_array().expect("hops").len();
    assert_eq!(hops("from"), hops("to") + 1);
}

#[test]
fn a_claim_that_goes_missing_breaks() {
    let (code, report) = diff("authentik=2026.2", "authentik=2025.8", "oidc-tokens/grafana");
    assert_eq!((code, &report["verdict"]), (100, &Value::from("broken")));
    assert_eq!(behaviour(&report, "claim", "id_token.jti")["severity"], "breaking");
    // The worst comes first.
    assert_eq!(report["behaviours"][0]["severity"], "breaking");
}

#[test]
fn strict_ends_with_100_for_a_change() {
    let sides = ["--from", "authentik=2025.8", "--to", "authentik=2026.2"];
    let filter = ["--filter", "login-redirect/stream"];
    let run = |more: &[&str]| ssoproof(&[&["diff"], &sides[..], &filter[..], more].concat());
    let (code, text, _) = run(&[]);
    assert!(code == 0 && text.contains("changed: 0 breaking"), "{code} {text}");
    assert_eq!(run(&["--strict"]).0, 100);
}

#[test]
fn a_saved_run_is_a_side_and_holds_no_secret() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("run.json");
    let path = file.to_str().expect("path");
    let (code, text, _) = ssoproof(&["run", "--filter", "login-redirect/", "--save", path]);
    assert_eq!(code, 0, "{text}");
    let (code, report) = diff(path, "authentik=2026.2", "login-redirect/");
    assert_eq!((code, &report["verdict"]), (0, &Value::from("safe")), "{report:#}");
    // A case that the saved run lacks is listed, not passed over.
    let (code, report) = diff(path, "authentik=2026.2", "access-allowed/stream/admin");
    assert_eq!((code, &report["verdict"]), (0, &Value::from("changed")), "{report:#}");
    assert_eq!(report["only_to"][0], "access/access-allowed/stream/admin");
    let saved = std::fs::read_to_string(&file).expect("saved");
    assert!(!saved.contains("eyJ"), "a token is saved");
    owner_alone(&file);
}

#[cfg(unix)]
fn owner_alone(file: &Path) {
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(file).expect("metadata"));
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(not(unix))]
fn owner_alone(_: &Path) {}

#[test]
fn a_foreign_file_and_an_unknown_version_are_refused() {
    let (code, _, complaint) = ssoproof(&[
        "diff",
        "--from",
        "../README.md",
        "--to",
        "authentik=2026.2",
        "--filter",
        "login-redirect/",
    ]);
    assert!(code == 3 && complaint.contains("is no saved run"), "{code} {complaint}");
    // The second side is looked at before the first one runs.
    let sides = |from, to| ssoproof(&["diff", "--from", from, "--to", to]);
    let (code, text, complaint) = sides("authentik=2026.2", "grafana=12");
    assert!(code == 2 && complaint.contains("not of `grafana`") && text.is_empty(), "{code} {complaint}");
    let (code, _, complaint) = sides("authentik=2026.2", "redis=valkey/valkey:8");
    assert!(code == 2 && complaint.contains("say `--stack containers`"), "{code} {complaint}");
    let (code, _, complaint) = ssoproof(&["diff", "--from", "authentik=2019.1", "--to", "authentik=2026.2"]);
    assert!(code == 2 && complaint.contains("is not modelled"), "{code} {complaint}");
    let (code, _, complaint) =
        ssoproof(&["diff", "--from", "traefik=3.6", "--to", "traefik=3.6", "--filter", "no such case"]);
    assert!(code == 4 && complaint.contains("no case is selected"), "{code} {complaint}");
}

#[test]
fn the_page_runs_nothing_and_shows_both_ledgers() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("diff.html");
    let path = file.to_str().expect("path");
    let sides = ["diff", "--from", "authentik=2025.8", "--to", "authentik=2026.2"];
    let (code, text, _) =
        ssoproof(&[&sides[..], &["--filter", "login-redirect/stream", "--html", path]].concat());
    assert_eq!(code, 0, "{text}");
    let page = std::fs::read_to_string(&file).expect("page");
    assert!(page.contains("/flows/-/default/authentication/") && page.contains("<th>from</th>"));
    assert!(!page.contains("<script") && !page.contains("http-equiv"));
}
