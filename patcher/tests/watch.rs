//! A folder that is watched, however tools write its files.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ssoproof_patcher::{Folder, HostPattern, Metrics, Scope, Spare, Stop, Watch};
use tempfile::TempDir;

const ROUTERS: &str = "http:\n  routers:\n    app:\n      rule: Host(`app.test`)\n      service: app\n";
const MORE: &str = "    api:\n      rule: Host(`app.test`) && PathPrefix(`/api`)\n      service: app\n";

fn patched(text: &str) -> String {
    text.replace("      service: app\n", "      middlewares: [authentik@file]\n      service: app\n")
}

/// A watch in a thread of its own, which ends with this.
struct Running {
    _root: TempDir,
    folder: PathBuf,
    stop: Stop,
    log: Arc<Mutex<Vec<(String, Metrics)>>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new(folder: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(folder);
        Self::over(root, folder)
    }

    fn over(root: TempDir, folder: PathBuf) -> Self {
        let scope = Scope::of_hosts(["app.test".parse::<HostPattern>().unwrap()]);
        let watch =
            Watch::new(Folder::new(&folder, "authentik".parse().unwrap(), scope, Spare::beside(&folder)));
        let (stop, log) = (watch.stopper(), Arc::<Mutex<Vec<_>>>::default());
        let told = log.clone();
        let thread = std::thread::spawn(move || {
            watch
                .run(&mut |entry, metrics| told.lock().unwrap().push((entry.line(), metrics.clone())))
                .unwrap();
        });
        let running = Self { _root: root, folder, stop, log, thread: Some(thread) };
        running.until("it has begun", || {
            running.told().contains("\"event\":\"started\"")
                || running.told().contains("\"event\":\"waiting\"")
        });
        running
    }

    fn with_folder() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("traefik");
        fs::create_dir(&folder).unwrap();
        Self::over(root, folder)
    }

    fn told(&self) -> String {
        self.log.lock().unwrap().iter().map(|(line, _)| line.as_str()).collect()
    }

    fn metrics(&self) -> Metrics {
        self.log.lock().unwrap().last().unwrap().1.clone()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !holds() {
            assert!(Instant::now() < deadline, "still not: {what}; told:\n{}", self.told());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[track_caller]
    fn becomes(&self, path: &Path, text: &str) {
        let seen = || fs::read_to_string(path).unwrap_or_default();
        self.until(&format!("{} is\n{text}", path.display()), || seen() == text);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
        let ended = self.thread.take().unwrap().join();
        if !std::thread::panicking() {
            ended.unwrap();
            assert!(self.told().contains("\"event\":\"stopped\""));
        }
    }
}

fn by_rename(path: &Path, text: &str) {
    let aside = path.parent().unwrap().with_file_name("aside");
    fs::write(&aside, text).unwrap();
    fs::rename(&aside, path).unwrap();
}

#[test]
fn what_is_there_at_the_start_is_patched_before_it_says_so() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("traefik");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("app.yml"), ROUTERS).unwrap();
    let running = Running::over(root, folder);
    assert_eq!(fs::read_to_string(running.path("app.yml")).unwrap(), patched(ROUTERS));
    assert!(running.told().starts_with("{\"time\":\""), "{}", running.told());
    assert!(
        running.told().contains("\"event\":\"patched\"") && running.told().contains("\"routers\":[\"app\"]")
    );
    assert_eq!((running.metrics().files, running.metrics().routers), (1, 1));
}

#[test]
fn rewritten_in_place_again_and_again() {
    let running = Running::with_folder();
    let path = running.path("app.yml");
    for round in 0..20 {
        let text = format!("# {round}\n{ROUTERS}");
        fs::write(&path, &text).unwrap();
        running.becomes(&path, &patched(&text));
    }
    assert!(running.told().contains("\"delay_ms\":"), "{}", running.told());
}

#[test]
fn rewritten_by_rename_again_and_again() {
    let running = Running::with_folder();
    let path = running.path("app.yml");
    for round in 0..20 {
        let text = format!("# {round}\n{ROUTERS}");
        by_rename(&path, &text);
        running.becomes(&path, &patched(&text));
    }
}

#[test]
fn rewritten_without_waiting_for_the_patch_the_last_text_counts() {
    let running = Running::with_folder();
    let path = running.path("app.yml");
    for round in 0..300 {
        let text = format!("# {round}\n{ROUTERS}");
        if round % 3 == 0 { by_rename(&path, &text) } else { fs::write(&path, &text).unwrap() }
    }
    running.becomes(&path, &patched(&format!("# 299\n{ROUTERS}")));
}

#[test]
fn several_writes_with_pauses_lose_nothing() {
    let running = Running::with_folder();
    let path = running.path("app.yml");
    let mut tool = File::create(&path).unwrap();
    tool.write_all(ROUTERS.as_bytes()).unwrap();
    tool.sync_all().unwrap();
    // The first part is a whole file by itself, and is patched while the tool still has the old one open.
    running.becomes(&path, &patched(ROUTERS));
    tool.write_all(MORE.as_bytes()).unwrap();
    drop(tool);
    running.becomes(&path, &patched(&format!("{ROUTERS}{MORE}")));
}

#[test]
fn half_written_file_is_told_and_patched_once_it_is_whole() {
    let running = Running::with_folder();
    let path = running.path("app.yml");
    fs::write(&path, "http:\n  routers:\n    app: {rule: \"Host(`app").unwrap();
    running.until("it is told", || running.told().contains("\"event\":\"left\""));
    assert_eq!(running.metrics().left, 1);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b".test`)\", service: app}\n").unwrap();
    let whole = "http:\n  routers:\n    app: {rule: \"Host(`app.test`)\", middlewares: [authentik@file], service: app}\n";
    running.becomes(&path, whole);
    fs::write(running.path("b.yml"), ROUTERS).unwrap();
    running.becomes(&running.path("b.yml"), &patched(ROUTERS));
    running.until("nothing is left", || running.metrics().left == 0);
}

#[test]
fn deleted_and_made_again() {
    let running = Running::with_folder();
    let path = running.path("app.toml");
    let text = "[http.routers.app]\nrule = \"Host(`app.test`)\"\n";
    for _ in 0..5 {
        fs::write(&path, text).unwrap();
        running.becomes(&path, &format!("{text}middlewares = [\"authentik@file\"]\n"));
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn folders_made_later_inside_and_on_the_way() {
    let running = Running::new("var/lib/devpush/traefik");
    fs::create_dir_all(running.folder.join("deep/er")).unwrap();
    for name in ["app.yml", "deep/app.yml", "deep/er/app.yml"] {
        fs::write(running.path(name), ROUTERS).unwrap();
    }
    for name in ["app.yml", "deep/app.yml", "deep/er/app.yml"] {
        running.becomes(&running.path(name), &patched(ROUTERS));
    }
    running.until("it has begun", || running.told().contains("\"event\":\"started\""));
    assert_eq!(running.told().matches("\"event\":\"waiting\"").count(), 1, "{}", running.told());
}

#[test]
fn folder_replaced_by_another_of_its_name() {
    let running = Running::with_folder();
    for round in 0..5 {
        let other = running.folder.with_file_name("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("app.yml"), format!("# {round}\n{ROUTERS}")).unwrap();
        fs::rename(&running.folder, running.folder.with_file_name(format!("old-{round}"))).unwrap();
        fs::rename(&other, &running.folder).unwrap();
        running.becomes(&running.path("app.yml"), &patched(&format!("# {round}\n{ROUTERS}")));
        fs::write(running.path("b.yml"), ROUTERS).unwrap();
        running.becomes(&running.path("b.yml"), &patched(ROUTERS));
    }
}

#[test]
fn two_watches_over_one_folder_agree() {
    let running = Running::with_folder();
    let again = Running::over(tempfile::tempdir().unwrap(), running.folder.clone());
    let path = running.path("app.yml");
    for round in 0..100 {
        let text = format!("# {round}\n{ROUTERS}");
        fs::write(&path, &text).unwrap();
        running.becomes(&path, &patched(&text));
    }
    drop(again);
}

#[test]
fn router_to_authentik_is_known_while_the_middlewares_file_is_written_anew() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("traefik");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("authentik.yml"),
        "http: {middlewares: {authentik: {forwardAuth: {address: \"http://auth:9000/a\"}}}}",
    )
    .unwrap();
    let login = "http:\n  routers: {login: {rule: Host(`app.test`) && PathPrefix(`/sso`), service: auth}}\n  services: {auth: {loadBalancer: {servers: [{url: \"http://auth:9000\"}]}}}\n";
    fs::write(folder.join("login.yml"), login).unwrap();
    let running = Running::over(root, folder);
    by_rename(&running.path("authentik.yml"), "");
    by_rename(&running.path("login.yml"), &format!("# again\n{login}"));
    by_rename(&running.path("z.yml"), ROUTERS);
    running.becomes(&running.path("z.yml"), &patched(ROUTERS));
    assert_eq!(fs::read_to_string(running.path("login.yml")).unwrap(), format!("# again\n{login}"));
}
