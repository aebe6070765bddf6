//! Who puts the middleware back while a tool drops it.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::Running;
use ssoproof_patcher::{Entry, Event, Folder, Metrics, Scope, Spare, Stop, Watch, WatchError};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::Patch;
use crate::stacks::Stack;
use crate::steps::StepError;

/// How long a command may take to end.
const LEAVE: Duration = Duration::from_secs(2);
/// How much of what a command has complained of is told, in bytes.
const TOLD: usize = 400;

/// Somebody who patches, or nobody.
pub(super) enum Patching {
    Nobody,
    Watch(Box<Watching>),
    /// What a fault has put in the patcher's place.
    Script(#[expect(dead_code, reason = "it works until it is dropped")] Running),
    Command(Box<Commanded>),
}

/// The patcher of this program.
pub(super) struct Watching {
    stop: Stop,
    thread: Option<JoinHandle<Result<(), WatchError>>>,
    /// Where it makes new files.
    _spare: Option<TempDir>,
}

/// The user's own command, at the head of a process group.
pub(super) struct Commanded {
    child: Child,
    group: Option<Pid>,
    complaints: File,
}

impl Patching {
    /// Starts what `patch` says for the files of `stack`. This program's own patcher is at work when this returns; when
    /// a command is, nobody can tell.
    pub(super) async fn start(
        patch: Patch,
        deployment: &Deployment,
        stack: &dyn Stack,
    ) -> Result<Self, StepError> {
        let folder = stack.traefik_files();
        match (patch, stack.script()) {
            (Patch::None, _) => Ok(Self::Nobody),
            (Patch::Ssoproof, Some(script)) => {
                let running = script.start(folder, deployment.clone());
                running.map(Self::Script).map_err(|error| failed(&error))
            }
            (Patch::Ssoproof, None) => Ok(Self::Watch(Box::new(watching(deployment, folder).await?))),
            (Patch::Command, _) => {
                let Some(command) = &deployment.patch_command else {
                    return Err(StepError::Unsupported(
                        "there is no command that patches: name yours by `--patch-command`".to_owned(),
                    ));
                };
                Ok(Self::Command(Box::new(commanded(command, folder)?)))
            }
        }
    }

    /// Proves that a command has not ended by itself.
    pub(super) fn lives(&mut self) -> Result<(), StepError> {
        match self {
            Self::Command(commanded) => commanded.lives(),
            Self::Nobody | Self::Watch(_) | Self::Script(_) => Ok(()),
        }
    }

    /// Ends it.
    pub(super) async fn end(&mut self) -> Result<(), StepError> {
        match self {
            Self::Nobody | Self::Script(_) => Ok(()),
            Self::Watch(watching) => watching.end().await,
            Self::Command(commanded) => commanded.end().await,
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> StepError {
    StepError::Broken(format!("failed to start what patches: {error}"))
}

async fn watching(deployment: &Deployment, folder: &Path) -> Result<Watching, StepError> {
    let middleware = deployment.traefik.middleware.parse().map_err(|error| failed(&error))?;
    // Beside the folder, since it has to be on the same file system; gone with the step.
    let above = folder.parent().unwrap_or(folder);
    let own = tempfile::Builder::new().prefix(".ssoproof-").tempdir_in(above).ok();
    let spare = own.as_ref().map_or_else(|| Spare::beside(folder), |own| Spare::at(own.path()));
    let watch = Watch::new(Folder::new(folder, middleware, Scope::of_deployment(deployment), spare));
    let stop = watch.stopper();
    let (begins, begun) = oneshot::channel();
    let mut begins = Some(begins);
    let thread = std::thread::Builder::new().name("patcher".to_owned()).spawn(move || {
        watch.run(&mut |entry: &Entry, _: &Metrics| {
            if entry.event == Event::Started
                && let Some(begins) = begins.take()
            {
                // Whoever waits for it may have given up.
                let _ = begins.send(());
            }
        })
    });
    let thread = thread.map_err(|error| failed(&error))?;
    let mut watching = Watching { stop, thread: Some(thread), _spare: own };
    if begun.await.is_err() {
        watching.end().await?;
        return Err(failed(&"it ended at once"));
    }
    Ok(watching)
}

impl Watching {
    async fn end(&mut self) -> Result<(), StepError> {
        self.stop.stop();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        match tokio::task::spawn_blocking(|| thread.join()).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => Err(StepError::Broken(error.to_string())),
            _ => Err(StepError::Broken("the patcher broke".to_owned())),
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

fn commanded(command: &str, folder: &Path) -> Result<Commanded, StepError> {
    let complaints = tempfile::tempfile().map_err(|error| failed(&error))?;
    let told = complaints.try_clone().map_err(|error| failed(&error))?;
    let child = Command::new("sh")
        .args(["-c", command, "sh"])
        .arg(folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(told)
        .kill_on_drop(true)
        .spawn();
    let child = child.map_err(|error| failed(&error))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    Ok(Commanded { child, group, complaints })
}

impl Commanded {
    /// One that has ended by itself has kept nothing on the files.
    fn lives(&mut self) -> Result<(), StepError> {
        let Ok(Some(status)) = self.child.try_wait() else { return Ok(()) };
        let message = format!("the command that patches has ended by itself ({status}){}", self.told());
        Err(StepError::Broken(message))
    }

    /// Ends it with its process group.
    async fn end(&mut self) -> Result<(), StepError> {
        let lived = self.lives();
        self.signal(Signal::TERM);
        if tokio::time::timeout(LEAVE, self.child.wait()).await.is_err() {
            self.signal(Signal::KILL);
        }
        self.group = None;
        lived
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It may have ended by itself.
            let _ = kill_process_group(group, signal);
        }
    }

    /// The end of what it has complained of.
    fn told(&mut self) -> String {
        let mut text = Vec::new();
        if self.complaints.rewind().and_then(|()| self.complaints.read_to_end(&mut text)).is_err() {
            return String::new();
        }
        let end = text.len().saturating_sub(TOLD);
        let text = String::from_utf8_lossy(&text[end..]).trim().to_owned();
        if text.is_empty() { text } else { format!(": {text}") }
    }
}

impl Drop for Commanded {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
