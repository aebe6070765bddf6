//! A patcher that is killed at any moment leaves whole files.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ssoproof_patcher::{Folder, HostPattern, Scope, Spare};

const TRIES: u32 = 200;
const FOLDER: &str = "SSOPROOF_TEST_KILLED_FOLDER";

/// A file of some length, so that writing it takes a while.
fn text(patched: bool) -> String {
    let list = if patched { "      middlewares: [authentik@file]\n" } else { "" };
    let filling = "# what else stands there\n".repeat(2_000);
    format!("http:\n  routers:\n    app:\n      rule: Host(`app.test`)\n{list}      service: app\n{filling}")
}

fn folder(directory: &Path) -> Folder {
    let scope = Scope::of_hosts(["app.test".parse::<HostPattern>().unwrap()]);
    Folder::new(directory, "authentik".parse().unwrap(), scope, Spare::beside(directory))
}

/// Is the process that is killed: patches the file, takes the middleware off again, and so on.
#[test]
fn child_of_the_test_below() {
    let Some(directory) = std::env::var_os(FOLDER) else { return };
    let directory = Path::new(&directory);
    let aside = directory.with_file_name("unpatched");
    fs::write(&aside, text(false)).unwrap();
    let mut folder = folder(directory);
    loop {
        folder.mend().unwrap();
        let again = directory.with_file_name("again");
        fs::copy(&aside, &again).unwrap();
        fs::rename(&again, directory.join("app.yml")).unwrap();
    }
}

#[test]
fn killed_at_any_moment_no_invalid_or_empty_file_is_seen() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("traefik");
    fs::create_dir(&directory).unwrap();
    let file = directory.join("app.yml");
    fs::write(&file, text(false)).unwrap();
    let (without, with) = (text(false), text(true));
    let (done, patched) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0_u64;
            while !done.load(Ordering::Relaxed) {
                let seen = fs::read_to_string(&file).unwrap();
                assert!(seen == without || seen == with, "a reader saw {} bytes: {seen:.200}", seen.len());
                patched.fetch_add(usize::from(seen == with), Ordering::Relaxed);
                reads += 1;
            }
            reads
        });
        let mut random = 0x9E37_79B9_u64;
        for _ in 0..TRIES {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child_of_the_test_below", "--nocapture"])
                .env(FOLDER, &directory)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // The first line comes before the first patch.
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Not a wait for a state: the moment of the kill.
            std::thread::sleep(Duration::from_micros(random >> 50));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    assert!(patched.load(Ordering::Relaxed) > 0, "nothing was patched while somebody looked");
    let mut folder = folder(&directory);
    folder.mend().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), with);
    folder.spare().clean(&directory);
    let spare: Vec<_> = fs::read_dir(folder.spare().folder()).unwrap().flatten().collect();
    // Another process may have the number of a killed one by now.
    assert!(spare.len() <= 2, "{spare:?}");
}
