//! A lease: the folder by which processes find, share and outlive each other's stack of containers.
//!
//! The owner holds `owner.lock` while it lives, users hold `users.lock` together; the kernel frees both when a
//! process ends, however it ends. A stack whose `owner.lock` is free has no owner.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ssoproof_deployment::Deployment;

use super::StackError;
use super::locks::open;
use super::secrets::{Kept, write_private};
use crate::provision::Setup;

/// What a user of a running stack must know.
#[derive(Clone, Deserialize, Serialize)]
pub struct Lease {
    /// The stack's label.
    pub stack: String,
    /// The deployment's name.
    pub deployment: String,
    /// The owner's process.
    pub pid: u32,
    /// What the stack was started from.
    pub(super) fingerprint: String,
    /// Where Traefik's plain entry point is.
    pub http: SocketAddr,
    /// Where Traefik's TLS entry point is.
    pub https: SocketAddr,
    /// The CA of Traefik's certificate, PEM.
    pub(super) ca: String,
    pub(super) secrets: Kept,
    /// The name of each container by component.
    pub containers: BTreeMap<String, String>,
    /// What was set up in Authentik, for putting it back.
    pub(super) setup: Setup,
    /// How long each component took to be ready that was waited for.
    pub timings: Vec<(String, Duration)>,
}

/// The folder of a deployment's lease.
#[derive(Clone, Debug)]
pub struct LeaseFolder(PathBuf);

impl LeaseFolder {
    /// The folder for `deployment`, made when it is not there: in `$XDG_RUNTIME_DIR/ssoproof`, else in the folder
    /// for temporary files.
    ///
    /// # Errors
    /// [`StackError::Lease`] when it cannot be made, or belongs to somebody else.
    pub fn of(deployment: &Deployment) -> Result<Self, StackError> {
        let folder = deployment.folder.canonicalize().unwrap_or_else(|_| deployment.folder.clone());
        let mut hasher = DefaultHasher::new();
        folder.hash(&mut hasher);
        let name = format!("{}-{:016x}", plain(&deployment.name), hasher.finish());
        let path = state_folder()?.join(name);
        private_folder(&path)?;
        Ok(Self(path))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The lease of the running stack; none when nobody owns one, or its owner is still starting it.
    pub fn running(&self) -> Option<Lease> {
        if self.owned() { self.read() } else { None }
    }

    /// Whether a living process owns a stack here, or is starting one. One that cannot be asked counts as owned.
    pub fn owned(&self) -> bool {
        match File::open(self.0.join("owner.lock")) {
            Ok(file) => file.try_lock_shared().is_err(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// The living process that owns a stack here, or is starting one.
    pub fn owner(&self) -> Option<u32> {
        if !self.owned() {
            return None;
        }
        std::fs::read_to_string(self.0.join("owner.lock")).ok()?.parse().ok()
    }

    /// Becomes the owner; `None` when somebody else is.
    pub(super) fn own(&self) -> io::Result<Option<File>> {
        let file = open(&self.0.join("owner.lock"))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                (&file).write_all(std::process::id().to_string().as_bytes())?;
                // What a dead owner wrote says nothing of the stack to come.
                let _ = std::fs::remove_file(self.lease_file());
                Ok(Some(file))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Says that this process uses the stack; the owner waits for it.
    pub(super) fn use_it(&self) -> io::Result<File> {
        let file = open(&self.0.join("users.lock"))?;
        file.lock_shared()?;
        Ok(file)
    }

    /// Waits until nobody uses the stack any more, and keeps everybody out until the file is dropped.
    pub(super) async fn close(&self) -> io::Result<File> {
        let path = self.0.join("users.lock");
        let waited = tokio::task::spawn_blocking(move || {
            let file = open(&path)?;
            file.lock()?;
            Ok(file)
        });
        waited.await.map_err(io::Error::other)?
    }

    /// Keeps everybody out until the file is dropped, unless somebody uses the stack.
    pub(super) fn try_close(&self) -> Option<File> {
        let file = open(&self.0.join("users.lock")).ok()?;
        file.try_lock().ok().map(|()| file)
    }

    /// Whether somebody uses the stack.
    pub fn used(&self) -> bool {
        let Ok(file) = File::open(self.0.join("users.lock")) else { return false };
        matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    }

    pub(super) fn write(&self, lease: &Lease) -> io::Result<()> {
        let text = serde_json::to_string_pretty(lease).map_err(io::Error::other)?;
        write_private(&self.lease_file(), &text)
    }

    fn read(&self) -> Option<Lease> {
        serde_json::from_str(&std::fs::read_to_string(self.lease_file()).ok()?).ok()
    }

    fn lease_file(&self) -> PathBuf {
        self.0.join("lease.json")
    }

    /// The folder that the label of a stack names.
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Takes the lease away, so that nobody joins a stack that is going down.
    pub(super) fn discard(&self) {
        let _ = std::fs::remove_file(self.lease_file());
    }
}

/// Where leases and snapshots of this user are.
pub(super) fn state_folder() -> Result<PathBuf, StackError> {
    let path = match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder).join("ssoproof"),
        None => std::env::temp_dir().join(format!("ssoproof-{}", user())),
    };
    private_folder(&path)?;
    Ok(path)
}

fn user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Makes a folder that only this user reads; one that somebody else has put there is refused.
pub(super) fn private_folder(path: &Path) -> Result<(), StackError> {
    let failed = |reason: String| StackError::Lease(format!("failed to use `{}`: {reason}", path.display()));
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| failed(error.to_string()))?;
    let found = std::fs::symlink_metadata(path).map_err(|error| failed(error.to_string()))?;
    if !found.is_dir() || found.uid() != user() {
        return Err(failed("it belongs to somebody else".to_owned()));
    }
    Ok(())
}

/// The letters and digits of a name, lower case.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}
