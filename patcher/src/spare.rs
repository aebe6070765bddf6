//! Where new files are written before they take the place of old ones.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How the names of new files end. Traefik reads no such file.
pub(crate) const ENDING: &str = ".ssoproof-new";

/// The folder for new files: beside the watched folder and on the same file system, so that Traefik sees one event,
/// the finished file. Where that folder cannot be made, the place of the file itself is used.
#[derive(Clone, Debug)]
pub struct Spare {
    folder: PathBuf,
    /// Whether the folder is there for this alone.
    own: bool,
}

impl Spare {
    /// The folder `.NAME.ssoproof` beside the folder NAME.
    pub fn beside(folder: &Path) -> Self {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let mut name = OsString::from(".");
        name.push(absolute.file_name().unwrap_or_default());
        name.push(".ssoproof");
        Self { folder: absolute.with_file_name(name), own: true }
    }

    /// Another folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), own: false }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folders to try for a new version of `file`.
    pub(crate) fn folders<'a>(&'a self, file: &'a Path) -> impl Iterator<Item = &'a Path> {
        std::iter::once(self.folder()).chain(file.parent())
    }

    /// A new, empty file in `folder` for a version of `file`, which nobody else can read yet.
    pub(crate) fn create(folder: &Path, file: &Path) -> io::Result<(PathBuf, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        if let Err(error) = DirBuilder::new().mode(0o700).create(folder)
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(error);
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut name = OsString::from(".");
        name.push(file.file_name().unwrap_or_default());
        name.push(format!(".{}-{number}{ENDING}", std::process::id()));
        let path = folder.join(name);
        // What has this name is of a process that had the same id and was killed.
        let _ = std::fs::remove_file(&path);
        let made = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        Ok((path, made))
    }

    /// Removes the folder if nothing is in it and it is for new files alone.
    pub(crate) fn leave(&self) {
        if self.own {
            // Another patcher may be at work in it.
            let _ = std::fs::remove_dir(&self.folder);
        }
    }

    /// Removes what killed processes have left for files in `folder`.
    pub fn clean(&self, folder: &Path) {
        for folder in [self.folder(), folder] {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            for entry in entries.filter(|entry| is_abandoned(&entry.file_name().to_string_lossy())) {
                // Another process may have been faster.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether `name` is of a new file whose process is gone.
fn is_abandoned(name: &str) -> bool {
    let Some((_, made_by)) = name.strip_suffix(ENDING).and_then(|rest| rest.rsplit_once('.')) else {
        return false;
    };
    let process = made_by.split_once('-').and_then(|(process, _)| process.parse().ok());
    let Some(process) = process.and_then(rustix::process::Pid::from_raw) else { return false };
    rustix::process::test_kill_process(process) == Err(rustix::io::Errno::SRCH)
}
