//! A new version of a file, put in the place of the old one at once.

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use crate::place::{Read, Stamp, text_of};
use crate::spare::{ENDING, Spare};

/// How often two writers may cross before one of them is left to it.
const MOST_CROSSINGS: usize = 16;

/// What became of a new version.
#[derive(Debug)]
pub enum Replaced {
    /// It is in place. The old file is kept for a while: somebody may still be writing to it.
    Done(Displaced),
    /// The file was changed in the meantime, and is as that has left it.
    Changed,
}

/// Why a new version was not put in place. The old one is there, whole.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The new file cannot have the old one's owner.
    #[error("failed to keep owner {owner} and group {group}: {error}")]
    Owner {
        /// The owner's id.
        owner: u32,
        /// The group's id.
        group: u32,
        /// The system's reason.
        error: io::Error,
    },
    /// The system refuses.
    #[error("failed to write `{path}`: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
}

/// A file that was put aside for a new version. It is removed when this is dropped.
#[derive(Debug)]
pub struct Displaced {
    /// Where the new version is.
    path: PathBuf,
    /// Where the old one is.
    aside: PathBuf,
    old: File,
    stamp: Stamp,
    ours: Ours,
}

/// A new version as it was written.
#[derive(Debug)]
struct Ours {
    file: File,
    stamp: Stamp,
    text: Box<str>,
}

impl Ours {
    /// Whether it is at `path`, and nobody has written to it.
    fn is_at(&self, path: &Path) -> bool {
        is_at(path, &self.stamp) && text_of(&self.file).is_ok_and(|text| text == *self.text)
    }
}

impl Displaced {
    /// What a writer that still has the old file open has written there since; none when nothing.
    pub fn changed(&self) -> Option<String> {
        let now = self.old.metadata().ok().map(|metadata| Stamp::of(&metadata))?;
        (now != self.stamp).then(|| text_of(&self.old).unwrap_or_default())
    }

    /// Puts the old file back into its place, unless another one than ours is there by now.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn restore(self) -> io::Result<bool> {
        if !self.ours.is_at(&self.path) {
            return Ok(false);
        }
        give_back(&self.aside, &self.path, &self.ours)?;
        Ok(true)
    }
}

impl Drop for Displaced {
    fn drop(&mut self) {
        // Gone with the next start, if not now.
        let _ = std::fs::remove_file(&self.aside);
    }
}

/// Puts `text` in the place of the file that was `read`, with the same mode, owner and extended attributes. Whoever
/// reads the file, at whatever moment, sees all of the old text or all of the new.
///
/// The two files change places, so that what another writer has put there at the very moment is seen and put back.
///
/// # Errors
/// [`ReplaceError`].
pub fn replace(read: &Read, text: &str, spare: &Spare) -> Result<Replaced, ReplaceError> {
    let failed = |error: io::Error| ReplaceError::Io { path: read.source.path.to_path_buf(), error };
    let mut refused = None;
    for folder in spare.folders(&read.path) {
        let (aside, new) = match Spare::create(folder, &read.path) {
            Ok(created) => created,
            Err(error) => {
                refused = Some(error);
                continue;
            }
        };
        match into_place(read, text, &aside, new) {
            Err(Refusal::Io(error)) if error.kind() == io::ErrorKind::CrossesDevices => refused = Some(error),
            Err(Refusal::Io(error)) => return Err(failed(error)),
            Err(Refusal::Owner(error)) => {
                let (owner, group) = read.stamp.owner();
                return Err(ReplaceError::Owner { owner, group, error });
            }
            Ok(replaced) => return Ok(replaced),
        }
    }
    Err(failed(refused.unwrap_or_else(|| io::Error::from(io::ErrorKind::NotFound))))
}

enum Refusal {
    Owner(io::Error),
    Io(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Removes a file unless it was put to use.
struct Aside<'a>(Option<&'a Path>);

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            // Gone with the next start, if not now.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn into_place(read: &Read, text: &str, aside: &Path, mut new: File) -> Result<Replaced, Refusal> {
    let mut guard = Aside(Some(aside));
    new.write_all(text.as_bytes())?;
    let (owner, group) = read.stamp.owner();
    let made = Stamp::of(&new.metadata()?);
    if made.owner() != (owner, group) {
        std::os::unix::fs::fchown(&new, Some(owner), Some(group)).map_err(Refusal::Owner)?;
    }
    copy_attributes(&read.file, &new);
    new.set_permissions(Permissions::from_mode(read.stamp.mode()))?;
    new.sync_all()?;
    let ours = Ours { stamp: Stamp::of(&new.metadata()?), file: new, text: text.into() };
    if !is_at(&read.path, &read.stamp) || Stamp::of(&read.file.metadata()?) != read.stamp {
        return Ok(Replaced::Changed);
    }
    match exchange(aside, &read.path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Replaced::Changed),
        Err(error) => return Err(error.into()),
    }
    let old_is_aside = is_at(aside, &read.stamp);
    if !old_is_aside || text_of(&read.file).ok().as_deref() != Some(&read.source.text) {
        give_back(aside, &read.path, &ours)?;
        return Ok(Replaced::Changed);
    }
    if let Some(folder) = read.path.parent() {
        // A file system that cannot do so has the file all the same.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    guard.0 = None;
    let old = read.file.try_clone()?;
    Ok(Replaced::Done(Displaced {
        path: read.path.clone(),
        aside: aside.to_owned(),
        old,
        stamp: read.stamp,
        ours,
    }))
}

/// Puts what is aside back to `path`, where `ours` is. When something else was there by now, or somebody has written to
/// ours, that is newer still, and takes its place in turn.
fn give_back(aside: &Path, path: &Path, ours: &Ours) -> io::Result<()> {
    let mut put = None;
    for _ in 0..MOST_CROSSINGS {
        let back = Stamp::of(&std::fs::metadata(aside)?);
        exchange(aside, path)?;
        let nobody_came = match &put {
            None => ours.is_at(aside),
            Some(put) => is_at(aside, put),
        };
        if nobody_came {
            break;
        }
        put = Some(back);
    }
    Ok(())
}

fn is_at(path: &Path, stamp: &Stamp) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| Stamp::of(&metadata) == *stamp)
}

/// Lets two files change places.
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => instead_of_exchange(one, other),
        done => Ok(done?),
    }
}

/// For file systems that cannot exchange: the other file gets a second name, and is then replaced.
fn instead_of_exchange(one: &Path, other: &Path) -> io::Result<()> {
    let mut kept = one.as_os_str().to_owned();
    kept.push(format!(".{}-kept{ENDING}", std::process::id()));
    let kept = Path::new(&kept);
    std::fs::hard_link(other, kept)?;
    std::fs::rename(one, other).inspect_err(|_| drop(std::fs::remove_file(kept)))?;
    std::fs::rename(kept, one)
}

/// Copies security labels and access lists, as far as the system lets us.
fn copy_attributes(from: &File, to: &File) {
    let mut names = [0; 4096];
    let Ok(length) = rustix::fs::flistxattr(from, &mut names[..]) else { return };
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = [0; 4096];
        if let Ok(length) = rustix::fs::fgetxattr(from, name, &mut value[..]) {
            // Some are the system's to give.
            let _ = rustix::fs::fsetxattr(to, name, &value[..length], rustix::fs::XattrFlags::empty());
        }
    }
}
