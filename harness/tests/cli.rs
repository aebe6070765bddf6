//! The program as people and scripts use it: exit codes, and the text of every kind of mistake.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const SPACEMUSIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");

fn ssoproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(arguments)
        .env_remove("SSOPROOF_DEPLOYMENT")
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Checks a scenario with `text` against the SpaceMusic deployment.
fn check(text: &str) -> Output {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("scenario.yaml");
    std::fs::write(&file, text).expect("written");
    ssoproof(&["check", "--deployment", SPACEMUSIC, &file.display().to_string()])
}

const WHOLE: &str = "id: mine
promise: It works.
requirements: [LOGIN-1]
matrix: { service: [docs] }
actors: { user: studio }
steps:
  - visit: $service.url/
    expect: { ends: { page: login } }
";

/// What is wrong, as people see it: the message, the line, the caret, the help.
fn complaint(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "`{from}` is in the scenario");
    let output = check(&WHOLE.replace(from, to));
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let text = stderr(&output);
    // The file's name differs from run to run.
    let start = text.find('[').unwrap_or_default();
    let end = text.find("scenario.yaml").unwrap_or(start);
    format!("{}{}", text.get(..=start).unwrap_or_default(), text.get(end..).unwrap_or_default())
}

#[test]
fn a_whole_scenario_has_no_problem() {
    let output = check(WHOLE);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "1 cases, no problem\n"));
}

/// A copy of the SpaceMusic deployment whose router for the documentation lacks the middleware, with `entries`.
fn broken(entries: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    let copied = Command::new("cp").args(["-r", &format!("{SPACEMUSIC}/.")]).arg(folder.path()).status();
    assert!(copied.expect("copied").success());
    let services = folder.path().join("traefik/services.yml");
    let text = std::fs::read_to_string(&services).expect("file");
    let router = "rule: Host(`docs.spacemusic.tv`)\n      entryPoints: [websecure]\n";
    let text = text.replace(&format!("{router}      middlewares: [authentik@file]\n"), router);
    std::fs::write(&services, text).expect("written");
    if !entries.is_empty() {
        std::fs::write(folder.path().join("expected-failures.yaml"), entries).expect("written");
    }
    folder
}

/// Runs the cases of LOGIN-1 there.
fn run_broken(folder: &Path) -> Output {
    ssoproof(&["run", "--requirement", "LOGIN-1", "--deployment", &folder.display().to_string()])
}

#[test]
fn a_failure_is_expected_by_the_entry_that_the_run_prints_and_breaks_the_run_once_it_is_mended() {
    let folder = broken("");
    let output = run_broken(folder.path());
    assert_eq!(output.status.code(), Some(100));
    let text = stdout(&output);
    let printed = text.split_once("add to ").and_then(|(_, rest)| rest.split_once('\n')).expect("entries").1;
    let entries: String = printed
        .lines()
        .take_while(|line| line.starts_with("  "))
        .map(|line| format!("{}\n", &line[2..]))
        .collect();
    assert!(entries.contains("- case: login/login-redirect/docs\n  because: \"SSO-R03 "), "{entries}");

    let folder = broken(&entries);
    let output = run_broken(folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("broken, as is known") && !stdout(&output).contains("add to "));

    let mended = Path::new(SPACEMUSIC).join("traefik/services.yml");
    std::fs::copy(mended, folder.path().join("traefik/services.yml")).expect("copied");
    let output = run_broken(folder.path());
    assert_eq!(output.status.code(), Some(101), "{}", stdout(&output));
    assert!(stdout(&output).contains("UNEXPECTED PASS login/login-redirect/docs"), "{}", stdout(&output));
}

#[test]
fn an_entry_holds_for_its_versions_and_its_cases_alone() {
    let other = "- case: '*/docs*'\n  because: x\n  versions: { authentik: '2025.8' }\n";
    assert_eq!(run_broken(broken(other).path()).status.code(), Some(100));
    let mine = "- case: '*/docs*'\n  because: x\n  versions: { traefik: '3.6' }\n";
    let output = run_broken(broken(mine).path());
    assert!(stdout(&output).contains("0 failed"), "{}", stdout(&output));
    let nothing = "- case: login/login-redirect/dox\n  because: x\n";
    let output = run_broken(broken(nothing).path());
    assert_eq!(output.status.code(), Some(3));
    let text = stderr(&output);
    assert!(text.contains("there is no case `login/login-redirect/dox`"), "{text}");
    assert!(text.contains("did you mean `login/login-redirect/docs`?") && text.contains(":1:9"), "{text}");
}

#[test]
fn a_misspelt_key_is_shown_with_what_was_meant() {
    let text = complaint("visit:", "vist:");
    assert!(text.contains("unknown key `vist`") && text.contains("scenario.yaml:7:5"), "{text}");
    assert!(text.contains("did you mean `visit`?"), "{text}");
}

#[test]
fn an_unknown_persona_is_shown_with_what_was_meant() {
    let text = complaint("user: studio", "user: studoi");
    assert!(text.contains("unknown persona `studoi`") && text.contains("scenario.yaml:5:17"), "{text}");
    assert!(text.contains("did you mean `studio`?"), "{text}");
}

#[test]
fn a_duplicate_key_is_refused() {
    let text = complaint("promise: It works.", "promise: It works.\npromise: Twice.");
    assert!(text.contains("duplicate key `promise`") && text.contains("scenario.yaml:3:1"), "{text}");
}

#[test]
fn an_unknown_service_and_requirement_are_refused() {
    let text = complaint("[docs]", "[doc]");
    assert!(text.contains("unknown service `doc`") && text.contains("did you mean `docs`?"), "{text}");
    let text = complaint("[LOGIN-1]", "[LOGON-1]");
    assert!(
        text.contains("unknown requirement `LOGON-1`") && text.contains("did you mean `LOGIN-1`?"),
        "{text}"
    );
}

#[test]
fn an_undefined_variable_is_shown_in_its_text() {
    let text = complaint("$service.url", "$service.uri");
    assert!(
        text.contains("undefined variable `$service.uri`") && text.contains("scenario.yaml:7:12"),
        "{text}"
    );
    assert!(text.contains("did you mean `url`?"), "{text}");
}

#[test]
fn two_verbs_in_one_step_are_refused() {
    let text = complaint("    expect:", "    sign_out: invalidation_flow\n    expect:");
    assert!(text.contains("step with two verbs, `visit` and `sign_out`"), "{text}");
    let text = complaint("  - visit: $service.url/\n    expect", "  - expect");
    assert!(text.contains("step without a verb"), "{text}");
}

#[test]
fn an_unknown_value_is_refused() {
    let text = complaint("page: login", "page: logn");
    assert!(text.contains("unknown value `logn`") && text.contains("did you mean `login`?"), "{text}");
}

#[test]
fn a_fault_that_cannot_come_is_refused() {
    let fault = |name: &str| complaint("  - visit:", &format!("  - fault: {name}\n  - visit:"));
    let text = fault("authentik_answers_504");
    assert!(text.contains("unknown value `authentik_answers_504`"), "{text}");
    assert!(text.contains("did you mean `authentik_answers_503`?"), "{text}");
    let text = fault("claim_name_is_policy");
    assert!(text.contains("see it with `--fault claim_name_is_policy`"), "{text}");
}

#[test]
fn redirects_that_go_round_are_told_as_such_with_the_same_number_everywhere() {
    let output = ssoproof(
        &["run", "--deployment", SPACEMUSIC, "--fault", "redirect_to_https_goes_round"]
            .into_iter()
            .chain(["--filter", "login/login-redirect/docs"])
            .collect::<Vec<_>>(),
    );
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(100), "{text}");
    assert!(text.contains("got       redirects go round every hop with the same cookies"), "{text}");
    assert!(text.contains("diagnosis  SSO-R10 hop 1 is redirected to the URL that it asked for"), "{text}");
    assert!(text.contains("→  1  browser  start"), "{text}");
    assert!(text.contains("the way of step 1, visit"), "`no_loop` fails as well: {text}");
}

#[test]
fn listing_needs_no_stack_and_choosing_nothing_has_a_code_of_its_own() {
    let output = ssoproof(&["list", "--deployment", SPACEMUSIC, "--filter", "login-redirect/docs"]);
    assert_eq!(
        (output.status.code(), stdout(&output).as_str()),
        (Some(0), "login/login-redirect/docs  LOGIN-1\n")
    );
    let output = ssoproof(&["run", "--deployment", SPACEMUSIC, "--filter", "no such case"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
}

#[test]
fn the_last_line_counts_and_the_files_are_whole() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (json, junit) = (folder.path().join("run.json"), folder.path().join("run.xml"));
    let output = ssoproof(&[
        "run",
        "--deployment",
        SPACEMUSIC,
        "--requirement",
        "LOGIN-1",
        "--json",
        &json.display().to_string(),
        "--junit",
        &junit.display().to_string(),
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let last = text.lines().last().unwrap_or_default();
    let counts: Vec<&str> = last.split(", ").collect();
    assert!(
        matches!(counts.as_slice(), [passed, "0 failed", "0 skipped"] if passed.ends_with(" passed")),
        "{last}"
    );
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&json).expect("JSON report")).expect("JSON");
    let cases = report["cases"].as_array().expect("cases");
    assert_eq!(format!("{} passed", cases.len()), counts[0]);
    assert!(cases.iter().all(|case| case["hops"].as_array().is_some_and(|hops| !hops.is_empty())));
    let junit = std::fs::read_to_string(&junit).expect("JUnit report");
    assert_eq!(junit.matches("<testcase ").count(), cases.len());
}

#[test]
fn a_risk_is_in_every_report_and_fails_no_run() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let (json, junit) = (folder.path().join("run.json"), folder.path().join("run.xml"));
    let (json, junit) = (json.display().to_string(), junit.display().to_string());
    let scenario = "library/headers/forged-header-folded.yaml".to_owned();
    let output = ssoproof(&[
        "run",
        &scenario,
        "--deployment",
        SPACEMUSIC,
        "--filter",
        "/dots",
        "--json",
        &json,
        "--junit",
        &junit,
    ]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let risk =
        "X_authentik_username or X.authentik.username from a client reaches a service that folds names";
    let list = format!("\nrisks that are there by design\n  high    {risk} (forged-header-folded, 1 case)\n");
    assert!(text.contains(&list), "{text}");
    assert!(text.contains("1/1   holds, with risks"), "{text}");

    let report = std::fs::read_to_string(json).expect("written");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let case = &report["cases"][0];
    assert_eq!((&case["verdict"], &case["risks"][0]["severity"]), (&"passed".into(), &"high".into()));
    assert_eq!(case["risks"][0]["text"], risk);
    let junit = std::fs::read_to_string(junit).expect("written");
    assert!(junit.contains(&format!("<property name=\"risk.high\" value=\"{risk}\"/>")), "{junit}");
}

#[test]
fn no_secret_is_in_a_report() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let json = folder.path().join("run.json");
    let output = ssoproof(&[
        "run",
        "--deployment",
        SPACEMUSIC,
        "--filter",
        "oidc-tokens",
        "--filter",
        "sign-out",
        "--json",
        &json.display().to_string(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let text = std::fs::read_to_string(&json).expect("JSON report");
    assert!(text.contains("<jwt:"), "tokens are named");
    let jwt =
        regex::Regex::new(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+").expect("pattern");
    assert_eq!(jwt.find(&text).map(|found| found.as_str()), None);
    let cookie = regex::Regex::new(r"authentik_proxy_[0-9a-f]{8}=[A-Z2-7]{52}").expect("pattern");
    assert_eq!(cookie.find(&text).map(|found| found.as_str()), None);
}

#[test]
fn wrong_arguments_and_files_have_their_codes() {
    assert_eq!(ssoproof(&["run", "--jobs", "0"]).status.code(), Some(2));
    assert_eq!(ssoproof(&["nonsense"]).status.code(), Some(2));
    assert_eq!(ssoproof(&["--help"]).status.code(), Some(0));
    let output = ssoproof(&["check", "--deployment", "/no/such/folder"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
}

#[test]
fn every_diagnosis_is_explained() {
    let output = ssoproof(&["explain"]);
    let codes: Vec<String> = stdout(&output)
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    assert!(codes.len() >= 11, "{codes:?}");
    for code in codes {
        let output = ssoproof(&["explain", &code.to_lowercase()]);
        assert!(stdout(&output).starts_with(&code) && stdout(&output).lines().count() > 3, "{code}");
    }
    let output = ssoproof(&["explain", "SSO-R99"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean"), "{}", stderr(&output));
}

#[test]
fn a_stack_that_goes_from_case_to_case_is_as_good_as_new() {
    // Each makes what may not be there twice, or signs every browser of its user out.
    let cases = ["client-id-taken", "redirect-uris-changed", "sign-out-outpost-every-browser"];
    let chosen = cases.map(|case| ["--filter", case]).concat();
    let output = ssoproof(
        &[&["run", "--deployment", SPACEMUSIC, "--jobs", "1", "--repeat", "3"], &chosen[..]].concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn the_schema_that_is_checked_in_is_the_programs() {
    let output = ssoproof(&["schema"]);
    let stored = Path::new(SPACEMUSIC).join("../scenario.schema.json");
    let stored = std::fs::read_to_string(stored).expect("schema");
    assert!(
        stored == stdout(&output),
        "scenarios/scenario.schema.json is stale: cargo run -- schema > scenarios/scenario.schema.json"
    );
}

/// One of Authentik's two programs, without what the variables of this process say.
fn authentik(program: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssoproof"));
    command.args(["authentik", program]).env_clear().env("NO_COLOR", "1");
    command
}

#[test]
fn authentik_without_a_secret_key_says_which_variable_is_missing() {
    for (program, key) in [("server", None), ("worker", None), ("server", Some(""))] {
        let output = authentik(program).envs(key.map(|key| ("AUTHENTIK_SECRET_KEY", key))).output();
        let output = output.expect("the program starts");
        assert_eq!(output.status.code(), Some(2), "{program}: {}", stderr(&output));
        assert!(stderr(&output).contains("`AUTHENTIK_SECRET_KEY` is not set"), "{}", stderr(&output));
    }
}

#[test]
fn authentik_takes_secrets_from_variables_alone() {
    let help = stdout(&authentik("--help").output().expect("the program starts"));
    assert!(help.contains("--postgresql-host"), "{help}");
    for (flag, variable) in [
        ("--secret-key", "AUTHENTIK_SECRET_KEY"),
        ("--bootstrap-password", "AUTHENTIK_BOOTSTRAP_PASSWORD"),
        ("--bootstrap-token", "AUTHENTIK_BOOTSTRAP_TOKEN"),
        ("--postgresql-password", "AUTHENTIK_POSTGRESQL__PASSWORD"),
    ] {
        assert!(help.contains(variable) && !help.contains(flag), "{flag}: {help}");
        for arguments in [vec![format!("{flag}=0123456789")], vec![flag.to_owned(), "0123456789".to_owned()]]
        {
            let output = authentik("server").args(arguments).env("AUTHENTIK_SECRET_KEY", "secret").output();
            let output = output.expect("the program starts");
            assert_eq!(output.status.code(), Some(2), "{flag}: {}", stderr(&output));
            assert!(
                stderr(&output).contains(&format!("unexpected argument '{flag}'")),
                "{}",
                stderr(&output)
            );
            assert!(!stderr(&output).contains("0123456789"), "{}", stderr(&output));
        }
    }
}

#[test]
fn authentik_with_a_value_that_makes_no_sense_says_which() {
    for (variable, value) in [
        ("AUTHENTIK_LISTEN__HTTP", "somewhere"),
        ("AUTHENTIK_POSTGRESQL__PORT", "many"),
        ("SSOPROOF_AUTHENTIK_VERSION", "1999.1"),
    ] {
        let output = authentik("server").env("AUTHENTIK_SECRET_KEY", "secret").env(variable, value).output();
        let output = output.expect("the program starts");
        assert_eq!(output.status.code(), Some(2), "{variable}: {}", stderr(&output));
        assert!(stderr(&output).contains(value), "{variable}: {}", stderr(&output));
    }
}

/// The status of an answer; none while nobody listens.
fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: authentik\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

#[test]
fn authentik_is_alive_without_a_database_and_ends_at_a_signal() {
    let free = || TcpListener::bind(("127.0.0.1", 0)).and_then(|bound| bound.local_addr()).expect("a port");
    for (program, signal) in [("server", Signal::TERM), ("worker", Signal::TERM), ("server", Signal::INT)] {
        let (address, nobody) = (free(), free());
        let mut child = authentik(program)
            .env("AUTHENTIK_SECRET_KEY", "secret-key-0123456789")
            .env("AUTHENTIK_BOOTSTRAP_TOKEN", "bootstrap-token-0123456789")
            .env("AUTHENTIK_POSTGRESQL__HOST", "127.0.0.1")
            .env("AUTHENTIK_POSTGRESQL__PORT", nobody.port().to_string())
            .env("AUTHENTIK_POSTGRESQL__PASSWORD", "database-0123456789")
            .env("AUTHENTIK_LISTEN__HTTP", address.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut last = None;
        while last != Some(503) && Instant::now() < deadline {
            last = status(address, "/-/health/ready/");
        }
        let live = status(address, "/-/health/live/");
        kill_process(Pid::from_child(&child), signal).expect("signalled");
        let ended = child.wait().expect("ended");
        let mut log = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut log).expect("text");
        assert_eq!((last, ended.code()), (Some(503), Some(0)), "{program}: {log}");
        assert_eq!(live, Some(if program == "server" { 200 } else { 503 }), "{program}");
        assert!(
            log.contains(&format!("{program} starting")) && log.contains("waiting for PostgreSQL"),
            "{log}"
        );
        assert!(!log.contains("0123456789"), "{log}");
    }
}

#[test]
fn a_faulty_stack_is_shown_until_it_is_interrupted() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(["up", "--fault", "middleware_dropped", "--deployment", SPACEMUSIC])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut told = BufReader::new(child.stdout.take().expect("piped"));
    let mut text = String::new();
    while !text.ends_with("interrupt to take it down\n") {
        if told.read_line(&mut text).expect("text") == 0 {
            break;
        }
    }
    let plain = text.split("plain on ").nth(1).and_then(|rest| rest.split(',').next());
    let answered = plain.and_then(|address| status(address.parse().ok()?, "/"));
    kill_process(Pid::from_child(&child), Signal::INT).expect("signalled");
    assert_eq!(child.wait().expect("ended").code(), Some(0), "{text}");
    // The plain entry point has no router.
    assert_eq!(answered, Some(404), "{text}");
    assert!(text.contains("SSO-R03") && text.contains("sign in  alice"), "{text}");
}

#[test]
fn containers_have_no_faults() {
    let output =
        ssoproof(&["up", "--stack", "containers", "--fault", "middleware_dropped", "-d", SPACEMUSIC]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

/// A file with `text` in a folder of its own.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("input");
    std::fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn a_role_is_explained_with_the_expression_of_the_deployment() {
    let (_folder, claims) = file(r#"{"sub":"u","groups":["spacemusic-studio"]}"#);
    let output = ssoproof(&["explain", "role", "--claims", &claims, "--deployment", SPACEMUSIC]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("role: Editor\ndecided by: id_token, arm 2 of 3: "), "{text}");
}

#[test]
fn policies_are_explained_with_those_of_the_deployment() {
    let (_folder, claims) =
        file(r#"{"aud":"minio-spacemusic","sub":"u","groups":["spacemusic-studio","x"]}"#);
    let output =
        ssoproof(&["explain", "policies", "--claims", &claims, "--deployment", SPACEMUSIC, "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(answer["policies"], serde_json::json!(["spacemusic-studio"]));
    assert_eq!(answer["names"][1]["policy"], false);
}

#[test]
fn the_ledger_of_a_run_tells_the_loop_of_a_sign_out() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let ledger = folder.path().join("ledger.json").display().to_string();
    let filter = "logout/sign-out-outpost/stream/admin";
    ssoproof(&["run", "--deployment", SPACEMUSIC, "--filter", filter, "--json", &ledger]);
    let output = ssoproof(&["explain", "loop", &ledger]);
    assert_eq!(output.status.code(), Some(100), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("SSO-L01"), "{}", stdout(&output));
    let (_folder, nothing) = file("<html>");
    assert_eq!(ssoproof(&["explain", "loop", &nothing]).status.code(), Some(3));
}

#[test]
fn a_token_is_explained_without_its_signature() {
    // {"alg":"HS256"} and {"sub":"u","exp":1}
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1IiwiZXhwIjoxfQ.c2VjcmV0LXNpZ25hdHVyZQ";
    let (_folder, path) = file(token);
    let output = ssoproof(&["explain", "token", &path]);
    let text = stdout(&output);
    assert!(text.contains("EXPIRED") && text.contains("note no-kid") && !text.contains("c2VjcmV0"), "{text}");
    assert_eq!(
        ssoproof(&["explain", "token", &path, "--secret-env", "NO_SUCH_VARIABLE"]).status.code(),
        Some(2)
    );
}
