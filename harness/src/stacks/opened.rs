//! A stack of the kind that was asked for, for the length of a run.

use std::fs::File;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::Fault;

use super::{
    AttachOptions, Attached, ContainerOptions, Containers, Embedded, LeaseFolder, Need, Stack, StackError,
};
use crate::reports::out;

/// Which kind of stack, and how it is started.
#[derive(Clone, Debug)]
pub enum StackChoice {
    /// In this process, with a fault when one shall be seen.
    Embedded(Option<&'static Fault>),
    /// In containers.
    Containers(Box<ContainerOptions>),
    /// Set up by others.
    Attach(Box<AttachOptions>),
}

impl StackChoice {
    /// Whether a stack of this kind may offer `need`; what it lacks in the end, the stack itself says.
    pub fn offers(&self, need: Need) -> bool {
        match (need, self) {
            (Need::Components, Self::Embedded(_) | Self::Attach(_)) => false,
            (Need::Components, Self::Containers(options)) => options.images.authentik.name().is_some(),
            (Need::Probe, Self::Attach(options)) => options.probe_listen.is_some(),
            (Need::Files, Self::Attach(options)) => options.traefik_folder.is_some(),
            (Need::Faults, Self::Containers(_) | Self::Attach(_)) => false,
            (Need::Admin | Need::Probe | Need::Files | Need::Faults, _) => true,
        }
    }
}

/// An open stack. Close it, or containers are only removed by the next start.
pub enum Opened {
    /// In this process.
    Embedded(Arc<Embedded>),
    /// In containers, owned or shared.
    Containers(Box<Containers>),
    /// Set up by others.
    Attached(Arc<Attached>),
}

impl Opened {
    /// Opens a stack of `deployment`. From then on, Ctrl-C and SIGTERM take containers that this process owns away
    /// and end it with 130.
    ///
    /// # Errors
    /// [`StackError`] when it does not start; nothing is left behind then.
    pub async fn open(deployment: Arc<Deployment>, choice: &StackChoice) -> Result<Self, StackError> {
        match choice {
            StackChoice::Embedded(fault) => {
                Ok(Self::Embedded(Arc::new(Embedded::start_with(deployment, *fault).await?)))
            }
            StackChoice::Attach(options) => {
                Ok(Self::Attached(Arc::new(Attached::open(deployment, options).await?)))
            }
            StackChoice::Containers(options) => {
                let mut containers = Containers::open(deployment, options).await?;
                if let Some(mut ending) = containers.ending() {
                    tokio::spawn(async move {
                        ending.came().await;
                        // What is left is removed by the next start.
                        let _ = ending.remove().await;
                        std::process::exit(130);
                    });
                }
                Ok(Self::Containers(Box::new(containers)))
            }
        }
    }

    /// The stack, for cases.
    pub fn stack(&self) -> Arc<dyn Stack> {
        match self {
            Self::Embedded(stack) => stack.clone(),
            Self::Containers(containers) => containers.stack(),
            Self::Attached(stack) => stack.clone(),
        }
    }

    /// How long each component took to be ready that was waited for, when this process has started them.
    pub fn timings(&self) -> Vec<(String, Duration)> {
        match self {
            Self::Containers(containers) if containers.owned() => containers.lease().timings.clone(),
            _ => Vec::new(),
        }
    }

    /// Takes down what this process has started, once nobody uses it any more; `waiting` is called when others still
    /// do.
    ///
    /// # Errors
    /// [`StackError`] with what could not be removed.
    pub async fn close(self, waiting: impl FnOnce()) -> Result<(), StackError> {
        match self {
            Self::Embedded(_) | Self::Attached(_) => Ok(()),
            Self::Containers(containers) => containers.close(waiting).await,
        }
    }
}

/// Holds a stack for other processes until it is told to end or, with `idle`, until nobody has used it that long.
/// Once it can be used it says so by a line on standard output, for which [`detach`] waits.
///
/// # Errors
/// [`StackError`] when it does not start, another process owns one already, or it could not be taken down.
pub async fn hold(
    deployment: Arc<Deployment>,
    options: &ContainerOptions,
    idle: Option<Duration>,
) -> Result<(), StackError> {
    let mut containers = Containers::open(deployment, options).await?;
    // The one that waits for the line may be gone already.
    out("ready\n");
    let Some(mut ending) = containers.ending() else { return Ok(()) };
    containers.leave();
    let _closed = tokio::select! {
        () = ending.came() => None,
        closed = unused(containers.folder(), idle) => Some(closed),
    };
    containers.take_down().await
}

/// Closes the stack when nobody has used it for `idle`; without it never.
async fn unused(folder: &LeaseFolder, idle: Option<Duration>) -> File {
    let Some(idle) = idle else { return std::future::pending().await };
    let mut last_used = tokio::time::Instant::now();
    let mut looks = tokio::time::interval((idle / 20).max(Duration::from_millis(200)));
    loop {
        looks.tick().await;
        if folder.used() {
            last_used = tokio::time::Instant::now();
        } else if last_used.elapsed() >= idle
            && let Some(closed) = folder.try_close()
        {
            return closed;
        }
    }
}

/// Starts this program again, as `told` says, to [`hold`] a stack apart from this process, and waits until the stack
/// can be used.
///
/// # Errors
/// [`StackError::Lease`] with what the process said when it ended instead.
pub fn detach(folder: &LeaseFolder, told: impl FnOnce(&mut Command)) -> Result<(), StackError> {
    use std::io::BufRead as _;
    let failed = |error: std::io::Error| StackError::Lease(format!("failed to start a holder: {error}"));
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    told(&mut command);
    let log = folder.path().join("holder.log");
    let file = std::fs::File::create(&log).map_err(failed)?;
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(file);
    let mut child = command.spawn().map_err(failed)?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        std::io::BufReader::new(stdout).read_line(&mut line).map_err(failed)?;
    }
    if line.is_empty() {
        let _ = child.wait();
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        return Err(StackError::Lease(said.trim().to_owned()));
    }
    Ok(())
}
