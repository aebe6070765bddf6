//! Stacks: running parts that a deployment's URLs resolve to.

mod attach;
mod authority;
mod containers;
mod defect;
mod embedded;
mod files;
mod lease;
mod live;
mod loaded;
mod loan;
mod locks;
mod opened;
mod parts;
mod process;
mod secrets;
mod tls_front;

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ssoproof_containers::Control;
use ssoproof_embedded::dial::Client;
use ssoproof_embedded::faults::{Fault, Script};

use crate::evidence::Backends;

pub use attach::{AttachOptions, Attached, Resolve};
pub(crate) use attach::{client as attached_client, traefik_list, without_credentials};
pub(crate) use authority::{Authority, trusting};
pub use containers::{ContainerOptions, Containers};
pub(crate) use containers::{forget, reap_all, timeline};
pub use embedded::Embedded;
pub(crate) use files::write_by_rename;
pub use lease::{Lease, LeaseFolder};
pub use live::Live;
pub(crate) use loaded::{has_loaded, settled};
pub use loan::Loan;
pub use opened::{Opened, StackChoice, detach, hold};
pub(crate) use parts::{copy_of, failed, host_and_port, host_of, probe_settings};
pub(crate) use process::{Interruption, end, leave_terminal};
pub use secrets::Secrets;
pub(crate) use tls_front::TlsFront;

/// What a scenario may ask of a stack beyond answering requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Authentik's REST API with an administrator's token.
    Admin,
    /// Backends that report what arrived.
    Probe,
    /// Components that can be stopped and started.
    Components,
    /// A gateway whose files can be rewritten while it runs.
    Files,
    /// Faults of the catalogue that come and go while it runs.
    Faults,
}

impl Need {
    /// The word in scenario files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Probe => "probe",
            Self::Components => "components",
            Self::Files => "files",
            Self::Faults => "faults",
        }
    }
}

/// How far a case reaches: what others that run beside it would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Its actors' own browsers.
    Own,
    /// Sessions of the same users in other browsers.
    Sessions,
    /// What the administrator has set up, components.
    Setup,
    /// The same, while faults come and go.
    Faults,
    /// The gateway's files, and whatever else.
    Files,
    /// The same, while faults come and go.
    FilesAndFaults,
}

impl Reach {
    /// As far as both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.min(other), self.max(other)) {
            (Self::Faults, Self::Files) => Self::FilesAndFaults,
            (_, further) => further,
        }
    }

    /// Whether files are rewritten that a gateway watches.
    pub fn files(self) -> bool {
        matches!(self, Self::Files | Self::FilesAndFaults)
    }

    /// Whether faults come and go.
    pub fn faults(self) -> bool {
        matches!(self, Self::Faults | Self::FilesAndFaults)
    }
}

/// A future that a stack returns.
pub type StackFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StackError>> + Send + 'a>>;

/// The last log lines of each component, with the component's name.
pub type LogTails<'a> = Pin<Box<dyn Future<Output = Vec<(String, Vec<String>)>> + Send + 'a>>;

/// Why a stack did not start, or a control of it did not work.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A part could not listen or be reached.
    #[error("failed to start {part}: {reason}")]
    Start {
        /// The part.
        part: &'static str,
        /// What went wrong.
        reason: String,
    },
    /// A container is at fault.
    #[error(transparent)]
    Containers(#[from] ssoproof_containers::Error),
    /// The running stack, or what is left of one, cannot be used.
    #[error("{0}")]
    Lease(String),
    /// A stack that others have set up does not answer, or cannot be used as the options say.
    #[error("{0}")]
    Attach(String),
    /// The deployment has nothing that the fault could break.
    #[error("fault `{name}` finds nothing to break in this deployment")]
    Fault {
        /// The fault.
        name: &'static str,
    },
    /// Nothing was prepared for a fault to come.
    #[error("no fault can come on this stack while it runs")]
    Unswitched,
    /// The gateway's files could not be put back.
    #[error("failed to put the Traefik files back: {0}")]
    Files(String),
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Ctrl-C and SIGTERM cannot be listened for.
    #[error("failed to listen for signals: {0}")]
    Signals(std::io::Error),
    /// Authentik refused something that setting up the deployment needs.
    #[error("failed to provision {what}: {reason}")]
    Provision {
        /// What was being made.
        what: String,
        /// What Authentik said.
        reason: String,
    },
}

/// A running stack.
pub trait Stack: Send + Sync {
    /// What kind of stack: `embedded`, `containers`, `attached`.
    fn kind(&self) -> &'static str;

    /// A client that resolves the deployment's hosts to this stack and trusts its CA.
    fn client(&self) -> Client;

    /// What nobody may see.
    fn secrets(&self) -> &Arc<Secrets>;

    /// Whether it offers `need`.
    fn offers(&self, need: Need) -> bool;

    /// Whether it may be changed by `verb`.
    fn permits(&self, _verb: &str) -> bool {
        true
    }

    /// How its services tell what reached them.
    fn backends(&self) -> Arc<Backends> {
        Arc::default()
    }

    /// The Traefik files in force.
    fn traefik_files(&self) -> &Path;

    /// The last `count` lines that each component logged, with the component's name.
    fn logs(&self, count: usize) -> LogTails<'_>;

    /// The longest time that something may take to come about on this stack; none where it takes what it takes.
    fn patience(&self) -> Option<Duration> {
        None
    }

    /// How long its gateway holds a change of files back after another.
    fn throttle(&self) -> Duration;

    /// What a fault has put in the patcher's place.
    fn script(&self) -> Option<Script> {
        None
    }

    /// Lets `fault`, one that comes and goes, come in the place of the one before; none lets it go.
    ///
    /// # Errors
    /// [`StackError::Unswitched`] where none can come, [`StackError::Fault`] when the deployment has nothing for it to
    /// break, [`StackError::Files`].
    fn switch_fault(&self, _fault: Option<&'static Fault>) -> Result<(), StackError> {
        Err(StackError::Unswitched)
    }

    /// Its components, where they can be stopped and started.
    fn control(&self) -> Option<&Control> {
        None
    }

    /// Lends a stack of this deployment to a case; nobody else notices what it does within `reach`.
    fn lend(self: Arc<Self>, reach: Reach) -> StackFuture<'static, Loan>;
}
