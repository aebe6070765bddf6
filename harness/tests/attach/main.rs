//! `--stack attach`, against a stack of plain processes: a real Traefik, the stand-in for Authentik as server and
//! worker, a real PostgreSQL; Grafana and MinIO are the embedded ones.
//!
//! Needs `SSOPROOF_TRAEFIK_BIN` and `SSOPROOF_POSTGRES_BIN`; without them every test passes with a word.

mod apps;
#[path = "../common/mod.rs"]
mod common;
mod echo;
#[path = "../../../embedded/tests/store/postgres.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod postgres;
mod site;

use std::collections::BTreeMap;

use site::{Request, Site, text};

/// A verdict by case.
type Verdicts = BTreeMap<String, String>;

/// Every verb that changes something.
const EVERYTHING: &str = "allow: [request, sign_out, authorize, assume_role, s3, admin]";

/// How many cases came to each verdict.
fn counts(verdicts: &Verdicts) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for verdict in verdicts.values() {
        *counts.entry(verdict.as_str()).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attached_stack_gives_the_verdicts_of_the_embedded_one() {
    let Some(site) = Site::start(EVERYTHING).await else { return };
    let embedded = site.embedded();
    let probes = format!("--probe-listen={}", site.services);
    let attached = site.verdicts(&["--provision", &probes], 0);
    for (case, verdict) in &attached {
        if verdict != "unsupported" && embedded[case] != "unsupported" {
            assert_eq!(verdict, &embedded[case], "{case}");
        }
    }
    let unsupported: Vec<&String> =
        attached.iter().filter(|(_, verdict)| *verdict == "unsupported").map(|(case, _)| case).collect();
    let elsewhere = |case: &&String| case.starts_with("stack/") || case.starts_with("devpush/");
    assert!(unsupported.iter().all(elsewhere), "{unsupported:?}");
    assert!(attached.len() > 800);

    // What the cases have changed by the API is as it was: the same once more.
    let again = site.verdicts(&[&probes, "--filter", "api/", "--filter", "grafana/"], 0);
    assert!(again.iter().all(|(case, verdict)| verdict == &attached[case]), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_allow_nothing_but_reading_and_the_login_is_sent() {
    let Some(site) = Site::start("").await else { return };
    let probes = format!("--probe-listen={}", site.services);
    site.verdicts(&["--provision", &probes, "--filter", "login-redirect"], 0);
    let before = site.requests().len();
    let api = format!("--traefik-api=http://{}", site.traefik_api);
    let verdicts = site.verdicts(&[&probes, &api], 0);
    let counts = counts(&verdicts);
    assert!(counts["passed"] > 300 && counts["unsupported"] > 100, "{counts:?}");
    assert!(counts.keys().all(|verdict| ["passed", "warned", "unsupported"].contains(verdict)), "{counts:?}");

    let requests = site.requests().split_off(before);
    assert!(requests.len() > 1_000, "{}", requests.len());
    let login = "/api/v3/flows/executor/default-authentication-flow/";
    for Request { method, path, agent } in requests {
        let read = method == "GET" || method == "HEAD";
        let login = method == "POST" && path.starts_with(login);
        // Grafana redeems the code of a login by itself, and says nothing of who it is.
        let grafana = agent.is_none() && method == "POST" && path == "/application/o/token/";
        assert!(read || login || grafana, "{method} {path} by {agent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_echo_are_enough_and_without_them_their_checks_are_unsupported() {
    let Some(site) = Site::start("").await else { return };
    let _echo = echo::start(site.services).await;
    let run = ["--filter", "login/", "--filter", "headers/", "--filter", "access/"];
    let silent = site.verdicts(&[&run[..], &["--provision"]].concat(), 0);
    site.edit_deployment(|text| {
        text.replace("    allow: [spacemusic-admins", "    echo: true\n    allow: [spacemusic-admins")
    });
    let echoed = site.verdicts(&run, 0);
    for verdicts in [&silent, &echoed] {
        let counts = counts(verdicts);
        let fine = ["passed", "warned", "unsupported"];
        assert!(counts.keys().all(|verdict| fine.contains(verdict)), "{counts:?}");
    }
    let passed = |verdicts: &Verdicts| counts(verdicts)["passed"];
    assert!(
        passed(&silent) > 10 && passed(&echoed) > passed(&silent) + 200,
        "{} {}",
        passed(&silent),
        passed(&echoed)
    );
    let header = |verdicts: &Verdicts| verdicts["headers/header-username/admin"].clone();
    assert_eq!((header(&silent).as_str(), header(&echoed).as_str()), ("unsupported", "passed"));
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "it says what it has measured")]
async fn deploys_are_tried_on_the_real_traefik_and_its_files_are_put_back() {
    let Some(site) = Site::start("allow: [deploy, traefik_file]").await else { return };
    let probes = format!("--probe-listen={}", site.services);
    let run = ["--provision", &probes, "--filter", "devpush/"];
    let without = site.verdicts(&run, 0);
    assert!(without.values().all(|verdict| verdict == "unsupported"), "{without:?}");

    let before = site.files();
    let folder = format!("--traefik-folder={}", site.dynamic().display());
    let program = env!("CARGO_BIN_EXE_ssoproof");
    let deployment = site.deployment();
    let command = format!(
        "--patch-command='{program}' traefik patch \"$1\" --deployment '{}' --watch",
        deployment.display()
    );
    // A deploy takes the real Traefik seconds, so that one way to write is enough.
    let chosen = ["--filter", "devpush/deploy-closed", "--filter", "/rename", &probes, &folder, &command];
    let report = site.deployment().join("report.json");
    let output = site.run(&chosen, Some(&report));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let verdicts = site::read(&report);
    assert!(verdicts.len() >= 7 && verdicts.values().all(|verdict| verdict == "passed"), "{verdicts:?}");
    let longest = |scenario: &str| {
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = format!("  {scenario}  exposure  ");
        told.lines().find_map(|told| told.strip_prefix(&line).map(str::to_owned)).unwrap_or_default()
    };
    let [closed, patched, own, unpatched] =
        ["deploy-closed", "deploy-patched", "deploy-own-script", "deploy-unpatched"].map(longest);
    eprintln!("closed {closed}, patched {patched}, by a script {own}, unpatched {unpatched}");
    assert!(closed.starts_with("0 ms"), "{closed}");
    assert!(patched.ends_with(" ms") && own.ends_with(" ms"), "{patched}, {own}");
    assert!(unpatched.starts_with("at least "), "{unpatched}");
    assert_eq!(site.files(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_attached_stack_is_told() {
    let Some(site) = Site::start("").await else { return };
    let secrets = site.secrets.display().to_string();
    let nobody = format!("*={}", site.free);
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--resolve", &nobody], 5, "does not answer at https://auth.spacemusic.tv: failed to connect"),
        (&["--resolve", &site.resolve()], 5, "TLS handshake with `auth.spacemusic.tv` failed"),
        (&["--resolve", "auth.spacemusic.tv"], 2, "write `HOST=ADDRESS:PORT`"),
        (&["--resolve", &site.resolve(), "--ca", &secrets], 5, "failed to read the CA"),
        (&["--cold"], 2, "`--cold` is for `--stack containers`"),
    ];
    for (arguments, exit, expected) in cases {
        let output = site.command(&["run", "--stack", "attach"]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(expected), "{arguments:?}: {}", text(&output));
    }
    let api = format!("--traefik-api=http://{}", site.free);
    let output = site.run(&[&api], None);
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output).contains("Traefik's API does not answer at http://"), "{}", text(&output));
    let typed = site.command(&["run", "--provision"]).output().unwrap();
    assert_eq!(typed.status.code(), Some(2));
    assert!(text(&typed).contains("`--provision` is for `--stack attach`"), "{}", text(&typed));
    site.edit_deployment(|text| format!("{text}\nallow: [sing_out]\n"));
    let output = site.run(&[], None);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output).contains("did you mean `sign_out`?"), "{}", text(&output));
}
