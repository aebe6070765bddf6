//! `ssoproof traefik patch` as people and services use it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const SPACEMUSIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");
const BEFORE: &str = "http:\n  routers:\n    app:\n      rule: Host(`app.test`) # ours\n      service: app\n";
const AFTER: &str = "http:\n  routers:\n    app:\n      rule: Host(`app.test`) # ours\n      middlewares: [authentik@file]\n      service: app\n";

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssoproof"));
    command.args(["traefik", "patch"]).arg(folder).args(arguments).env("NO_COLOR", "1");
    command
}

fn patch(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command(folder, arguments).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

const ASKED: [&str; 4] = ["--middleware", "authentik", "--hosts", "app.test,*.app.test"];

/// A folder of dynamic files in a folder of its own.
fn folder(files: &[(&str, &str)]) -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("temporary folder");
    let folder = root.path().join("traefik");
    fs::create_dir(&folder).expect("made");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("written");
    }
    (root, folder)
}

#[test]
fn dry_run_prints_a_diff_and_writes_nothing() {
    let (_root, folder) = folder(&[("app.yml", BEFORE)]);
    let (code, stdout, _) = patch(&folder, &[&ASKED[..], &["--dry-run"]].concat());
    let path = folder.join("app.yml").display().to_string();
    let diff = format!(
        "--- {path}\n+++ {path}\n@@ -2,4 +2,5 @@\n   routers:\n     app:\n       rule: Host(`app.test`) # ours\n\
         +      middlewares: [authentik@file]\n       service: app\n"
    );
    assert_eq!((code, stdout), (Some(100), diff));
    assert_eq!(fs::read_to_string(folder.join("app.yml")).expect("read"), BEFORE);
}

#[test]
fn second_run_has_nothing_to_do() {
    let (root, folder) = folder(&[("app.yml", BEFORE)]);
    let (code, stdout, stderr) = patch(&folder, &ASKED);
    assert_eq!(fs::read_dir(root.path()).expect("read").count(), 1, "nothing is left beside the folder");
    assert_eq!((code, stdout), (Some(0), format!("patched {}: app\n", folder.join("app.yml").display())));
    assert!(stderr.contains("no file defines `authentik@file`"), "{stderr}");
    assert_eq!(fs::read_to_string(folder.join("app.yml")).expect("read"), AFTER);
    assert_eq!(patch(&folder, &ASKED).1, "nothing to do\n");
    assert_eq!(patch(&folder, &[&ASKED[..], &["--dry-run"]].concat()).0, Some(0));
}

#[test]
fn file_that_does_not_parse_is_shown_and_the_others_are_patched() {
    let (_root, folder) = folder(&[("a.yml", "http:\n  routers: {app: [\n"), ("b.yml", BEFORE)]);
    let (code, stdout, stderr) = patch(&folder, &[&ASKED[..], &["--json"]].concat());
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("a.yml:"), "{stderr}");
    let document: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(document["patched"][0]["routers"], serde_json::json!(["app"]));
    assert_eq!(document["left"][0]["file"], serde_json::json!(folder.join("a.yml")));
    assert_eq!(fs::read_to_string(folder.join("b.yml")).expect("read"), AFTER);
}

#[test]
fn deployments_files_are_in_order_and_a_router_that_lost_its_middleware_is_found() {
    let folder = Path::new(SPACEMUSIC).join("traefik");
    let asked = ["--deployment", SPACEMUSIC, "--dry-run"];
    assert_eq!(patch(&folder, &asked), (Some(0), String::new(), String::new()));
    let (_root, copied) = self::folder(&[]);
    for name in ["apps.yml", "authentik.yml", "services.yml"] {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
        let lost = text.replacen(
            "      middlewares: [authentik@file]\n      service: docs",
            "      service: docs",
            1,
        );
        fs::write(copied.join(name), lost).expect("written");
    }
    let (code, stdout, stderr) = patch(&copied, &asked);
    assert_eq!(code, Some(100), "{stderr}");
    assert_eq!(stdout.lines().filter(|line| line.starts_with("+ ")).count(), 1, "{stdout}");
}

#[test]
fn neither_hosts_nor_deployment_is_a_usage_error() {
    let (_root, folder) = folder(&[]);
    for arguments in [
        &["--middleware", "authentik"][..],
        &["--middleware", "a b", "--hosts", "app.test"],
        &["--hosts", "app.test"],
    ] {
        assert_eq!(patch(&folder, arguments).0, Some(2), "{arguments:?}");
    }
    assert_eq!(patch(&folder.join("none"), &ASKED).0, Some(1));
}

#[test]
fn watch_tells_in_json_counts_and_ends_when_told() {
    let (root, folder) = folder(&[]);
    let metrics = root.path().join("patch.prom");
    let file = metrics.display().to_string();
    let mut child = command(&folder, &[&ASKED[..], &["--watch", "--metrics", &file]].concat())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut next = || -> serde_json::Value {
        serde_json::from_str(&lines.next().expect("a line").expect("read")).expect("JSON")
    };
    assert_eq!(next()["event"], "started");
    fs::write(folder.join("app.yml"), BEFORE).expect("written");
    let patched = next();
    assert_eq!((&patched["event"], &patched["routers"]), (&"patched".into(), &serde_json::json!(["app"])));
    assert!(patched["delay_ms"].is_f64(), "{patched}");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("told");
    assert_eq!(next()["event"], "stopped");
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    let counted = fs::read_to_string(metrics).expect("read");
    assert!(counted.contains("\nssoproof_traefik_patch_patched_files_total 1\n"), "{counted}");
    assert_eq!(fs::read_to_string(folder.join("app.yml")).expect("read"), AFTER);
}

#[test]
fn systemd_unit_runs_this_watch() {
    let (_root, folder) = folder(&[]);
    let (code, stdout, _) = patch(&folder, &[&ASKED[..], &["--print-systemd"]].concat());
    assert_eq!(code, Some(0));
    let run = format!(
        "traefik patch {} --middleware authentik@file --hosts app.test,*.app.test --watch\n",
        folder.display()
    );
    assert!(stdout.contains(&run) && stdout.contains("Restart=always\n"), "{stdout}");
}
