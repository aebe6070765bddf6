//! A stack that runs outside this process, known by its addresses.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ssoproof_containers::Control;
use ssoproof_deployment::Deployment;
use ssoproof_embedded::dial::Client;

use super::files::Kept;
use super::locks::CaseLock;
use super::{Loan, LogTails, Need, Reach, Secrets, Stack, StackError, StackFuture};
use crate::provision::{self, Setup};

/// A stack that runs outside this process, shared with whoever else uses it.
pub struct Live {
    pub(super) deployment: Arc<Deployment>,
    pub(super) client: Client,
    pub(super) secrets: Arc<Secrets>,
    pub(super) traefik: PathBuf,
    pub(super) control: Control,
    pub(super) lock: CaseLock,
    /// What was set up before anybody used it.
    pub(super) setup: Setup,
}

impl Live {
    /// Puts everything back that a case may have changed.
    async fn restore(&self) -> Result<(), StackError> {
        let base = &self.deployment.auth.url;
        if self.control.revive().await? {
            provision::answers(&self.client, base).await?;
        }
        self.setup.restore(&self.deployment, self.client.clone(), base, &self.secrets, None).await
    }
}

impl Stack for Live {
    fn kind(&self) -> &'static str {
        "containers"
    }

    fn client(&self) -> Client {
        self.client.clone()
    }

    fn secrets(&self) -> &Arc<Secrets> {
        &self.secrets
    }

    fn offers(&self, need: Need) -> bool {
        match need {
            Need::Admin | Need::Probe | Need::Files => true,
            Need::Faults => false,
            // With Authentik in this process there is no more than Traefik.
            Need::Components => self.control.components().any(|name| name == "authentik-server"),
        }
    }

    fn traefik_files(&self) -> &Path {
        &self.traefik
    }

    fn throttle(&self) -> Duration {
        self.deployment.traefik.throttle()
    }

    fn control(&self) -> Option<&Control> {
        Some(&self.control)
    }

    fn logs(&self, count: usize) -> LogTails<'_> {
        Box::pin(self.control.logs(count))
    }

    /// Cases that reach no further than their browsers run beside each other, others alone.
    fn lend(self: Arc<Self>, reach: Reach) -> StackFuture<'static, Loan> {
        Box::pin(async move {
            let taken = self.lock.take(reach).await?;
            let kept = if reach.files() { Some(Kept::of(&self.traefik)?) } else { None };
            let stack = self.clone();
            Ok(Loan::returning(self, move |_| {
                Box::pin(async move {
                    let files = match kept {
                        Some(kept) => kept.put_back(&stack.deployment, &stack.client).await,
                        None => Ok(()),
                    };
                    let setup = if reach >= Reach::Setup { stack.restore().await } else { Ok(()) };
                    drop(taken);
                    files.and(setup)
                })
            }))
        })
    }
}
