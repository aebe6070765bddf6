//! Who may use a stack that several processes share: many cases at once, or one that nobody else shall notice.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::{Reach, StackError};

/// The lock that cases take: fair among the cases of this process, and fair enough among processes, since whoever
/// waits holds the gate.
#[derive(Clone)]
pub(super) struct CaseLock {
    here: Arc<RwLock<()>>,
    gate: PathBuf,
    case: PathBuf,
}

/// A taken lock. Dropping it, or the end of the process, frees it.
pub(super) struct Taken {
    _here: Here,
    _case: File,
}

enum Here {
    Beside(#[expect(dead_code, reason = "held, not read")] OwnedRwLockReadGuard<()>),
    Alone(#[expect(dead_code, reason = "held, not read")] OwnedRwLockWriteGuard<()>),
}

impl CaseLock {
    /// The lock with its files in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self { here: Arc::default(), gate: folder.join("gate.lock"), case: folder.join("case.lock") }
    }

    /// Waits until a case that reaches this far may run: beside others when it reaches no further than its browsers,
    /// else alone.
    ///
    /// # Errors
    /// [`StackError::Lease`] when the files cannot be locked.
    pub(super) async fn take(&self, reach: Reach) -> Result<Taken, StackError> {
        let taken = self.wait(reach > Reach::Own).await;
        taken.map_err(|error| StackError::Lease(format!("failed to lock the stack: {error}")))
    }

    /// Waits until nobody is alone on the stack, or, to be `alone`, until nobody else is on it.
    async fn wait(&self, alone: bool) -> io::Result<Taken> {
        let here = if alone {
            Here::Alone(self.here.clone().write_owned().await)
        } else {
            Here::Beside(self.here.clone().read_owned().await)
        };
        let (gate, case) = (self.gate.clone(), self.case.clone());
        let taken = tokio::task::spawn_blocking(move || {
            let (gate, case) = (open(&gate)?, open(&case)?);
            gate.lock()?;
            if alone {
                case.lock()?
            } else {
                case.lock_shared()?
            }
            Ok::<_, io::Error>(case)
        });
        let case = taken.await.map_err(io::Error::other)??;
        Ok(Taken { _here: here, _case: case })
    }
}

/// Opens a lock's file, which never holds anything.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_is_alone_waits_for_the_others_and_they_for_it() {
        let folder = tempfile::tempdir().unwrap();
        // Two processes have a lock of their own over the same files.
        let (first, second) = (CaseLock::new(folder.path()), CaseLock::new(folder.path()));
        let beside = (first.take(Reach::Own).await.unwrap(), second.take(Reach::Own).await.unwrap());
        let mut alone = Box::pin(second.take(Reach::Sessions));
        assert!(futures::poll!(&mut alone).is_pending(), "others are on the stack");
        drop(beside);
        let held = alone.await.unwrap();
        let mut other = Box::pin(first.take(Reach::Own));
        assert!(futures::poll!(&mut other).is_pending(), "somebody is alone on the stack");
        drop(held);
        other.await.unwrap();
    }
}
