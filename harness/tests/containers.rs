//! The stack in containers, from outside: what people see, and what is left behind.
//!
//! Needs a Docker daemon and images that are there: `SSOPROOF_TEST_CONTAINERS=1` says so, and without it every test
//! passes with a word.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

const SPACEMUSIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");

/// What stands for a deployment's own script: the patcher as a process of its own.
const PATCH_COMMAND: &str = concat!(
    "exec '",
    env!("CARGO_BIN_EXE_ssoproof"),
    "' traefik patch \"$1\" --watch --deployment '",
    env!("CARGO_MANIFEST_DIR"),
    "/../scenarios/spacemusic'"
);

/// One test at a time: each counts the containers there are.
static ALONE: Mutex<()> = Mutex::new(());

/// A place for leases of its own, so that a stack that is up for other purposes is left alone.
struct Place {
    folder: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Place {
    /// None, with a word, where there is no Docker to test with.
    #[expect(clippy::print_stderr, reason = "a test that does not run says why")]
    fn new() -> Option<Self> {
        if std::env::var_os("SSOPROOF_TEST_CONTAINERS").is_none() {
            eprintln!("not run: SSOPROOF_TEST_CONTAINERS is not set");
            return None;
        }
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Self { folder: tempfile::tempdir().unwrap(), _alone: alone })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ssoproof"));
        command
            .args(arguments)
            .args(["--deployment", SPACEMUSIC])
            .env_remove("SSOPROOF_STACK")
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("SSOPROOF_PATCH_COMMAND", PATCH_COMMAND)
            .env("NO_COLOR", "1");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// How many containers and networks this place's stacks have.
    fn left(&self) -> usize {
        let count = |arguments: &[&str]| self.docker(arguments).lines().count();
        count(&["ps", "--all", "--quiet"]) + count(&["network", "ls", "--quiet"])
    }

    /// The stacks that this place's containers belong to.
    fn stacks(&self) -> BTreeSet<String> {
        let labels = self.docker(&["ps", "--all", "--format", r#"{{.Label "ssoproof.stack"}}"#]);
        labels.lines().map(str::to_owned).collect()
    }

    /// The process that owns the stack, once it runs.
    fn owner(&self) -> Option<u64> {
        let lease = std::fs::read_to_string(self.lease().join("lease.json")).ok()?;
        serde_json::from_str::<Value>(&lease).ok()?["pid"].as_u64()
    }

    /// What Docker lists that has this place's label.
    fn docker(&self, arguments: &[&str]) -> String {
        let lease = format!("label=ssoproof.lease={}", self.lease().display());
        let output = Command::new("docker").args(arguments).args(["--filter", &lease]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn lease(&self) -> PathBuf {
        let folder = self.folder.path().join("ssoproof");
        let mut found = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        found.find(|path| !path.ends_with("snapshots")).unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let done = self.run(&["down", "--snapshots"]);
        assert!(std::thread::panicking() || done.status.success(), "{}", text(&done));
    }
}

fn text(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // Messages are wrapped for people.
    format!("{out}{err}").split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// Asks until it is so; the test fails when it never is.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn verdicts(path: &Path) -> BTreeMap<String, String> {
    let report: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap().iter();
    let pair = |case: &Value| (case["id"].as_str().unwrap().into(), case["verdict"].as_str().unwrap().into());
    cases.map(pair).collect()
}

/// The scenarios in which faults come: only the embedded stack has them.
const FAULTS_COME: [&str; 2] = ["stack/stack-bad-file/", "stack/stack-outage/"];

#[test]
fn containers_give_the_verdicts_of_the_embedded_stack() {
    let Some(place) = Place::new() else { return };
    let found = ["embedded", "containers"].map(|stack| {
        let report = place.folder.path().join(format!("{stack}.json"));
        let output = place.run(&["run", "--stack", stack, "--json", &report.display().to_string()]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
        verdicts(&report)
    });
    let [embedded, containers] = found;
    assert!(embedded.len() > 800);
    assert_eq!(embedded.len(), containers.len());
    let supported = |verdict: &str| verdict != "unsupported";
    for (case, verdict) in &containers {
        let needs_faults = FAULTS_COME.iter().any(|scenario| case.starts_with(scenario));
        assert_eq!(supported(verdict), !needs_faults, "{case}");
        if supported(verdict) && supported(&embedded[case]) {
            assert_eq!(&embedded[case], verdict, "{case}");
        }
    }
    assert_eq!(place.left(), 0);
}

/// An image of the local Authentik as another version of it. Dropping it removes the image.
struct Other(&'static str);

impl Other {
    fn of(local: &str, version: &'static str, name: &'static str) -> Self {
        let mut build = Command::new("docker");
        build.args(["build", "--quiet", "--tag", name, "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut build = build.spawn().expect("docker starts");
        let recipe = format!("FROM {local}\nENV SSOPROOF_AUTHENTIK_VERSION={version}\n");
        build.stdin.take().expect("a pipe").write_all(recipe.as_bytes()).expect("written");
        assert!(build.wait().expect("built").success());
        Self(name)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "--force", self.0]).output();
    }
}

#[test]
fn two_images_are_compared_by_what_they_do() {
    let Some(place) = Place::new() else { return };
    let local = std::env::var("SSOPROOF_IMAGE_AUTHENTIK").expect("SSOPROOF_IMAGE_AUTHENTIK");
    let old = Other::of(&local, "2025.8", "ssoproof-test/authentik:2025.8");
    let file = place.folder.path().join("diff.json");
    let (from, to) = (format!("authentik={}", old.0), format!("authentik={local}"));
    let sides =
        ["diff", "--stack", "containers", "--from", &from, "--to", &to, "--filter", "oidc-tokens/grafana"];
    let output = place.run(&[&sides[..], &["--json", file.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(report["from"].as_str().unwrap().starts_with("containers stack, Authentik 2025.8"), "{report:#}");
    let behaviours = report["behaviours"].as_array().unwrap();
    let verified = behaviours.iter().find(|one| one["subject"] == "id_token.email_verified");
    let verified = verified.unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!((&verified["from"], &verified["to"]), (&Value::from("true"), &Value::from("false")));
    assert_eq!(place.left(), 0);
}

#[test]
fn what_keeps_the_stack_from_starting_is_told_and_nothing_is_left() {
    let Some(place) = Place::new() else { return };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = port.local_addr().unwrap().port().to_string();
    let run = ["run", "--stack", "containers"];
    let at_port = [&run[..], &["--https-port", &taken]].concat();
    let cases: [(&[&str], (&str, &str), &str); 5] = [
        (&run, ("SSOPROOF_IMAGE_TRAEFIK", "ssoproof-local/none:0"), "failed to start traefik from image"),
        (&run, ("SSOPROOF_IMAGE_GRAFANA", "ssoproof-local/none:0"), "failed to start grafana from image"),
        (&at_port, ("NO_COLOR", "1"), "address already in use"),
        (&run, ("DOCKER_HOST", "tcp://127.0.0.1:1"), "Docker does not answer"),
        (&["up"], ("SSOPROOF_IMAGE_REDIS", "ssoproof-local/none:0"), "failed to start redis from image"),
    ];
    for (arguments, (name, value), expected) in cases {
        let output = place.command(arguments).env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(5), "{expected}: {}", text(&output));
        assert!(text(&output).contains(expected), "{expected}: {}", text(&output));
        assert_eq!(text(&output).matches('×').count(), 1, "it is said once: {}", text(&output));
        assert_eq!(place.left(), 0, "{expected}");
    }
}

#[test]
fn nothing_is_left_of_a_killed_run_after_the_next() {
    let Some(place) = Place::new() else { return };
    let busy = ["run", "--stack", "containers", "--filter", "login/", "--repeat", "1000"];
    let mut killed = place.command(&busy).stdout(Stdio::null()).spawn().unwrap();
    until("the first run has a stack", || place.lease().join("lease.json").exists());
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(place.left() > 0, "a killed process cannot clean up");
    let output = place.run(&["run", "--stack", "containers", "--filter", "login-redirect"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(place.left(), 0);
}

#[test]
fn an_interrupted_run_takes_its_stack_down() {
    let Some(place) = Place::new() else { return };
    let busy = ["run", "--stack", "containers", "--filter", "login/", "--repeat", "1000"];
    for start in ["cold", "warm"] {
        let mut run = place.command(&busy).stdout(Stdio::null()).spawn().unwrap();
        until("the run has a stack", || place.owner() == Some(run.id().into()));
        interrupt(&run);
        assert_eq!(run.wait().unwrap().code(), Some(130), "{start}");
        assert_eq!(place.left(), 0, "{start}");
    }
}

#[test]
fn a_warm_start_is_followed_by_what_nothing_waits_for() {
    let Some(place) = Place::new() else { return };
    for start in ["cold", "warm"] {
        let up = place.run(&["up"]);
        assert_eq!(up.status.code(), Some(0), "{}", text(&up));
        // Redis and the worker are named from the start, and who stops them first waits for them.
        for part in ["redis", "authentik-worker"] {
            assert!(text(&up).contains(part), "{start}: {}", text(&up));
        }
        let out = String::from_utf8_lossy(&up.stdout);
        let waited_for = out.lines().next().expect("how long each took");
        assert_eq!(waited_for.contains("redis"), start == "cold", "{waited_for}");
        let unused = place.run(&["run", "--stack", "containers", "--filter", "stack-part-unused"]);
        assert_eq!(unused.status.code(), Some(0), "{start}: {}", text(&unused));
        let running = place.docker(&["ps", "--format", "{{.Names}}"]);
        assert!(["-redis\n", "-authentik-worker\n"].iter().all(|name| running.contains(name)), "{running}");
        assert_eq!(text(&place.run(&["down"])), "down", "{start}");
        assert_eq!(place.left(), 0, "{start}");
    }
    let (up, down) = (place.run(&["up"]), place.run(&["down"]));
    assert_eq!((up.status.code(), text(&down).as_str()), (Some(0), "down"), "{}", text(&up));
    assert_eq!(place.left(), 0, "nothing comes after the end");
}

#[test]
fn processes_share_a_stack_that_is_up() {
    let Some(place) = Place::new() else { return };
    let up = place.run(&["up"]);
    assert_eq!(up.status.code(), Some(0), "{}", text(&up));
    let (left, containers) = (place.left(), text(&place.run(&["status"])));
    assert!(containers.contains("postgres") && containers.contains("traefik"), "{containers}");
    let runs: Vec<Child> = ["login/", "logout/sign-out", "api/"]
        .map(|filter| {
            let mut command = place.command(&["run", "--stack", "containers", "--filter", filter]);
            command.stdout(Stdio::piped()).spawn().unwrap()
        })
        .into();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
    assert_eq!(place.left(), left, "nobody has started another");
    let other =
        place.command(&["run", "--stack", "containers"]).env("SSOPROOF_IMAGE_REDIS", "other:1").output();
    let other = other.unwrap();
    assert_eq!(other.status.code(), Some(5));
    assert!(text(&other).contains("`ssoproof down` ends it"), "{}", text(&other));
    let down = place.run(&["down"]);
    assert_eq!((down.status.code(), text(&down).as_str()), (Some(0), "down"));
    assert_eq!(place.left(), 0);
    assert_eq!(text(&place.run(&["status"])), "nothing is up");
}

/// The suite of the SpaceMusic deployment as Cargo compiles it.
fn suite() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", "ssoproof", "--test", "spacemusic"])
        .args(["--no-run", "--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let built =
        messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
            let own = message["target"]["name"] == "spacemusic";
            own.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
        });
    built.expect("Cargo names the suite's executable")
}

#[test]
fn processes_of_nextest_share_a_stack_that_a_holder_starts() {
    let Some(place) = Place::new() else { return };
    let suite = suite();
    let cases =
        ["login/anonymous-get/json/stream", "login/anonymous-get/xhr/stream", "login/login-redirect/docs"];
    let mut tests: Vec<Child> = cases
        .map(|case| {
            let mut command = Command::new(&suite);
            command.args(["--exact", case, "--nocapture"]).current_dir(env!("CARGO_MANIFEST_DIR"));
            command.env("NEXTEST", "1").env("NEXTEST_EXECUTION_MODE", "process-per-test");
            command.env("SSOPROOF_STACK", "containers").env("XDG_RUNTIME_DIR", place.folder.path());
            command.env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .into();
    let mut stacks = BTreeSet::new();
    let mut owners = BTreeSet::new();
    until("the tests end", || {
        stacks.extend(place.stacks());
        owners.extend(place.owner());
        tests.iter_mut().all(|test| test.try_wait().unwrap().is_some())
    });
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    assert_eq!(owners.len(), 1, "{owners:?}");
    for (case, test) in cases.iter().zip(tests) {
        assert!(!owners.contains(&test.id().into()), "the stack would end with {case}");
        let output = test.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{case}: {}", text(&output));
        assert!(text(&output).contains("1 passed; 0 failed; 0 ignored"), "{case}: {}", text(&output));
    }
    let down = place.run(&["down"]);
    assert_eq!(down.status.code(), Some(0), "{}", text(&down));
    assert_eq!(place.left(), 0);
}

fn interrupt(child: &Child) {
    let done = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}
