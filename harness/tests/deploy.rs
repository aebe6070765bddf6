//! Deploys, as `ssoproof run` tries them: what is measured and told, and a deployment's own script.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const SPACEMUSIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");
const PROGRAM: &str = env!("CARGO_BIN_EXE_ssoproof");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(["run", "--deployment", SPACEMUSIC])
        .args(arguments)
        .env_remove("SSOPROOF_STACK")
        .env_remove("SSOPROOF_PATCH_COMMAND")
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The script in a file of its own, and the command that runs it.
fn script(lines: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("patch.sh");
    fs::write(&path, lines).expect("written");
    let command = format!("--patch-command=sh '{}' \"$1\"", path.display());
    (folder, command)
}

/// Runs the case of a deployment's own script, and of files that are moved into place.
fn own_script(command: &str) -> Output {
    run(&["--filter", "deploy-own-script/stream/rename", command])
}

/// Looks again and again, and says how a file that lacks the middleware is written.
fn watching(write: &str) -> String {
    format!(
        "while :; do
  for file in \"$1\"/services.yml; do
    text=$(sed '/rule: .*stream\\.spacemusic\\.tv/{{n;/middlewares/!s/^/      middlewares: [authentik@file]\\n/}}' \"$file\")
    [ \"$text\" = \"$(cat \"$file\")\" ] || {write}
  done
done
"
    )
}

#[test]
fn exposure_is_in_every_report_of_cases_that_pass() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (json, junit) = (folder.path().join("run.json"), folder.path().join("run.xml"));
    let paths = [&json, &junit].map(|path: &std::path::PathBuf| path.display().to_string());
    let chosen = ["--filter", "deploy-unpatched/stream/rename", "--filter", "deploy-closed/docs/rename"];
    let output = run(&[&chosen[..], &["--json", &paths[0], "--junit", &paths[1]]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let told = text(&output);
    assert!(told.contains("\n  deploy-closed  exposure  0 ms\n"), "{told}");
    assert!(told.contains("\n  deploy-closed  let_in  0 requests\n"), "{told}");
    assert!(told.contains("\n  deploy-unpatched  exposure  at least "), "{told}");

    let report: Value = serde_json::from_str(&fs::read_to_string(&json).expect("JSON")).expect("JSON");
    let figures = |scenario: &str| {
        let cases = report["cases"].as_array().expect("cases");
        let case = cases.iter().find(|case| case["scenario"] == scenario).expect("the case");
        case["figures"].as_array().expect("figures").clone()
    };
    let closed = figures("deploy-closed");
    assert_eq!((&closed[0]["name"], &closed[0]["value"]), (&"exposure".into(), &0.0.into()));
    let open = figures("deploy-unpatched");
    assert!(open[0]["value"].as_f64().expect("number") > 0.0 && open[0]["at_least"] == true, "{open:?}");
    assert!(open[1]["value"].as_f64().expect("number") > 0.0 && open[1]["unit"] == "requests", "{open:?}");

    let junit = fs::read_to_string(&junit).expect("JUnit");
    assert!(junit.contains(r#"<property name="exposure.docs.step2" value="0 ms"/>"#), "{junit}");
    assert!(junit.contains(r#"<property name="exposure.stream.step1" value="at least "#), "{junit}");
}

#[test]
fn a_script_of_ones_own_is_tried_and_ended_with_all_that_it_has_started() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let pid = folder.path().join("pid");
    let command = format!(
        "--patch-command=sleep 1000 & echo $! > '{}'; '{PROGRAM}' traefik patch \"$1\" --deployment '{SPACEMUSIC}' --watch",
        pid.display(),
    );
    let output = run(&["--filter", "deploy-own-script/stream/rename", &command]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("1 passed, 0 failed"), "{}", text(&output));
    let pid = fs::read_to_string(pid).expect("the script has run");
    // What has ended may still wait for somebody to take note of it.
    let state = fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn a_script_that_writes_into_the_file_is_found_out() {
    let (_folder, harmful) = script(&watching("printf '%s\\n' \"$text\" > \"$file\""));
    let output = own_script(&harmful);
    assert_eq!(output.status.code(), Some(100), "{}", text(&output));
    let told = text(&output);
    assert!(
        told.contains("diagnosis  SSO-D03 whoever patches harms the file: how somebody has written"),
        "{told}"
    );
    assert!(told.contains("into the file, which is empty or half-written meanwhile"), "{told}");
}

#[test]
fn a_script_that_ends_is_told_with_its_last_words() {
    let output = own_script("--patch-command=echo 'no such unit' >&2; exit 3");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let told: String =
        text(&output).split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("the command that patches has ended by itself (exit status: 3): no such unit"),
        "{told}"
    );
}

#[test]
fn without_a_script_its_cases_are_unsupported() {
    let output = run(&["--filter", "deploy-own-script"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("name yours by `--patch-command`"), "{}", text(&output));
}

/// Runs a scenario of `steps` and returns how it ended, with what was told, in one line.
fn scenario(steps: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("mine.yaml");
    let head = "id: mine\npromise: It works.\nrequirements: [DEVPUSH-1]\nneeds: [files]\nsteps:\n";
    fs::write(&file, format!("{head}{steps}")).expect("written");
    let output = run(&[&file.display().to_string()]);
    let told = format!("{}{}", text(&output), String::from_utf8_lossy(&output.stderr));
    let told = told.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    (output.status.code(), told)
}

#[test]
fn mistakes_in_a_deploy_are_known_before_anything_runs() {
    for (steps, told) in [
        ("  - deploy: { service: docz }\n", "undefined variable `$forward_auth.docz`"),
        ("  - deploy: { service: docs, write: inplace }\n", "did you mean `in_place`?"),
        ("  - deploy: { service: docs, patch: script }\n", "known are `none`, `ssoproof`, `command`"),
        ("  - deploy: { service: docs, times: 0 }\n", "zero"),
        (
            "  - deploy: { service: docs }\n    expect: { exposure: { limit: soon } }\n",
            "`soon` is no length of time",
        ),
        (
            "  - deploy: { service: docs }\n    expect: { exposure: { limit: $deploys.most } }\n",
            "$deploys.most",
        ),
        ("  - deploy: { service: docs }\n    expect: { patched: false }\n", "only `true` can be expected"),
    ] {
        let (code, complaint) = scenario(steps);
        assert_eq!(code, Some(3), "{steps}: {complaint}");
        assert!(complaint.contains(told) && complaint.contains("mine.yaml:"), "{steps}: {complaint}");
    }
}

#[test]
fn a_window_beyond_the_limit_is_told_with_its_length() {
    // In one deploy the patcher may win.
    let patched = "  - deploy: { service: docs, write: rename, times: 25, patch: ssoproof }\n    expect: { exposure: { limit: 0s } }\n";
    let (code, told) = scenario(patched);
    assert_eq!(code, Some(100), "{told}");
    assert!(told.contains("expected at most 0s got") && told.contains("anonymous requests let in"), "{told}");
    assert!(told.contains("SSO-D01 a deploy lets strangers in: the exposure of `docs` is"), "{told}");
    assert!(told.contains("close the host by default"), "{told}");
}
