//! Putting a new version of a file in the place of the old one.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ssoproof_patcher::{Read, Replaced, Spare, replace};
use tempfile::TempDir;

fn file(text: &str) -> (TempDir, PathBuf, Spare) {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("traefik");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("app.yml");
    fs::write(&path, text).unwrap();
    (root, path, Spare::beside(&folder))
}

#[test]
fn mode_is_kept_and_nothing_is_left_beside() {
    let (root, path, spare) = file("old");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    let replaced = replace(&Read::open(&path).unwrap(), "new", &spare).unwrap();
    assert!(matches!(replaced, Replaced::Done(_)), "{replaced:?}");
    drop(replaced);
    let after = fs::metadata(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    assert_eq!(fs::read_dir(root.path().join(".traefik.ssoproof")).unwrap().count(), 0);
}

#[test]
fn link_stays_a_link() {
    let (root, path, spare) = file("old");
    let real = root.path().join("real.yml");
    fs::rename(&path, &real).unwrap();
    std::os::unix::fs::symlink(&real, &path).unwrap();
    drop(replace(&Read::open(&path).unwrap(), "new", &spare).unwrap());
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "new");
}

#[test]
fn where_nothing_can_be_made_beside_the_folder_the_file_is_written_in_it() {
    let (_root, path, _) = file("old");
    let spare = Spare::at("/proc/ssoproof");
    assert!(matches!(replace(&Read::open(&path).unwrap(), "new", &spare).unwrap(), Replaced::Done(_)));
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn file_that_was_changed_since_it_was_read_is_not_touched() {
    type Change = fn(&PathBuf);
    let changes: [Change; 3] = [
        |path| fs::write(path, "newer").unwrap(),
        |path| {
            let other = path.with_file_name("other");
            fs::write(&other, "newer").unwrap();
            fs::rename(other, path).unwrap();
        },
        |path| fs::remove_file(path).unwrap(),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let (_root, path, spare) = file("old");
        let read = Read::open(&path).unwrap();
        change(&path);
        let replaced = replace(&read, "new", &spare).unwrap();
        assert!(matches!(replaced, Replaced::Changed), "{index}: {replaced:?}");
        assert_eq!(
            fs::read_to_string(&path).unwrap_or_default(),
            if index == 2 { "" } else { "newer" },
            "{index}"
        );
    }
}

#[test]
fn what_a_tool_goes_on_writing_is_seen_and_can_be_put_back() {
    let (_root, path, spare) = file("old");
    let mut tool = OpenOptions::new().append(true).open(&path).unwrap();
    let Replaced::Done(displaced) = replace(&Read::open(&path).unwrap(), "new", &spare).unwrap() else {
        panic!()
    };
    assert_eq!(displaced.changed(), None);
    tool.write_all(b" and more").unwrap();
    assert_eq!(displaced.changed().as_deref(), Some("old and more"));
    assert!(displaced.restore().unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "old and more");
}

#[test]
fn old_file_is_not_put_back_over_a_newer_one() {
    let (_root, path, spare) = file("old");
    let Replaced::Done(displaced) = replace(&Read::open(&path).unwrap(), "new", &spare).unwrap() else {
        panic!()
    };
    fs::write(path.with_file_name("other"), "newer").unwrap();
    fs::rename(path.with_file_name("other"), &path).unwrap();
    assert!(!displaced.restore().unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
}

#[test]
fn no_version_of_another_writer_is_lost() {
    let (_root, path, spare) = file("0");
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                let read = Read::open(&path).unwrap();
                if !read.source.text.ends_with("patched") {
                    let text = format!("{} patched", read.source.text);
                    drop(replace(&read, &text, &spare).unwrap());
                }
            }
        });
        for version in 1..=4_000 {
            let aside = path.parent().unwrap().with_file_name("aside");
            fs::write(&aside, version.to_string()).unwrap();
            fs::rename(&aside, &path).unwrap();
            let deadline = Instant::now() + Duration::from_secs(10);
            loop {
                let seen = fs::read_to_string(&path).unwrap();
                if seen.split(' ').next() == Some(version.to_string().as_str()) {
                    break;
                }
                if Instant::now() > deadline {
                    ended.store(true, Ordering::Relaxed);
                    panic!("version {version} was written, and `{seen}` is there");
                }
            }
        }
        ended.store(true, Ordering::Relaxed);
    });
}
