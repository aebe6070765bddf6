//! The gateway's files in the hands of a case: written whole, and put back afterwards.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ssoproof_deployment::Deployment;
use ssoproof_deployment::traefik::dynamic_files;
use ssoproof_embedded::dial::Client;
use url::Url;

use super::StackError;
use super::loaded::has_loaded;

/// How long the gateway may take to load the files that were put back.
const LIMIT: Duration = Duration::from_secs(60);

/// How the names of new files end until they are whole. Traefik reads no such file.
const ENDING: &str = ".ssoproof-deploy";

/// The files of a folder, as they were when a case began.
pub(super) struct Kept {
    folder: PathBuf,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Kept {
    /// What is in `folder`.
    ///
    /// # Errors
    /// [`StackError::Files`] when a file cannot be read.
    pub(super) fn of(folder: &Path) -> Result<Self, StackError> {
        Ok(Self { folder: folder.to_owned(), files: read(folder)? })
    }

    /// Puts back what is not as it was; returns whether there was anything.
    ///
    /// # Errors
    /// [`StackError::Files`] with the file that cannot be written.
    pub(super) fn write_back(&self) -> Result<bool, StackError> {
        let now = read(&self.folder)?;
        for path in now.keys().filter(|path| !self.files.contains_key(*path)) {
            fs::remove_file(path).map_err(|error| failed(path, &error))?;
        }
        for (path, bytes) in self.files.iter().filter(|(path, bytes)| now.get(*path) != Some(*bytes)) {
            write_by_rename(path, bytes).map_err(|error| failed(path, &error))?;
        }
        Ok(now != self.files)
    }

    /// The same, and waits until the gateway of `deployment`, which `client` reaches, has loaded it.
    ///
    /// # Errors
    /// As [`Self::write_back`], and when the gateway does not load it.
    pub(super) async fn put_back(&self, deployment: &Deployment, client: &Client) -> Result<(), StackError> {
        if !self.write_back()? {
            return Ok(());
        }
        let Some(url) = deployment.services.values().find_map(|service| Url::parse(&service.url).ok()) else {
            return Ok(());
        };
        match has_loaded(client, &url, &self.folder, LIMIT).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(StackError::Files(format!(
                "the gateway has not loaded them within {} s",
                LIMIT.as_secs()
            ))),
            Err(error) => Err(failed(&self.folder, &error)),
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> StackError {
    StackError::Files(format!("{}: {error}", path.display()))
}

fn read(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, StackError> {
    let paths = dynamic_files(folder).map_err(|problem| StackError::Files(problem.to_string()))?;
    paths
        .into_iter()
        .map(|path| {
            let bytes = fs::read(&path).map_err(|error| failed(&path, &error))?;
            Ok((path, bytes))
        })
        .collect()
}

/// Writes a new file with `bytes` and moves it to `path`, with the mode of the file that is there, or readable for
/// everybody. Returns the new file, which this process does not write any more.
///
/// # Errors
/// What the system says.
pub(crate) fn write_by_rename(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(ENDING);
    let beside = path.with_file_name(name);
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    // The gateway may run as another user.
    let readable = || fs::Permissions::from_mode(0o644);
    file.set_permissions(fs::metadata(path).map_or_else(|_| readable(), |old| old.permissions()))?;
    // Whoever watches the folder is told when a file that could be written is closed: not of this one.
    drop(file);
    let file = File::open(&beside)?;
    fs::rename(&beside, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_were_changed_made_and_taken_away_are_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let [changed, gone, new] = ["a.yml", "b.yml", "c.yml"].map(|name| folder.path().join(name));
        fs::write(&changed, "a").unwrap();
        fs::write(&gone, "b").unwrap();
        let kept = Kept::of(folder.path()).unwrap();
        assert!(!kept.write_back().unwrap());
        fs::write(&changed, "other").unwrap();
        fs::remove_file(&gone).unwrap();
        fs::write(&new, "new").unwrap();
        assert!(kept.write_back().unwrap());
        assert_eq!(fs::read_to_string(&changed).unwrap(), "a");
        assert_eq!(fs::read_to_string(&gone).unwrap(), "b");
        assert!(!new.exists());
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let old = File::open(&path).unwrap();
        write_by_rename(&path, b"new").unwrap();
        assert_eq!(io::read_to_string(old).unwrap(), "old");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
