//! One running MinIO.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::api;
use super::call::serve;
use super::console::Console;
use super::policy::{PolicyDocument, PolicyNameError};
use super::settings::Settings;
use super::shared::Shared;
use crate::listen::LOOPBACK;

/// A MinIO: S3 and STS on one port, the console on another. Dropping it stops everything.
pub struct Minio {
    shared: Arc<Shared>,
    sessions: Arc<Console>,
    api: SocketAddr,
    console: SocketAddr,
    _stop: DropGuard,
}

impl Minio {
    /// Starts on free loopback ports. The provider need not be up: IAM is initialised when it is, and until then the STS
    /// answers `STSIAMNotInitialized` and the console's port closes every connection (`truth/minio/22-startup`).
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        Self::start_at(LOOPBACK.ip(), settings).await
    }

    /// Starts on two free ports of `address`, otherwise like [`Minio::start`].
    ///
    /// # Errors
    /// When none can be bound.
    pub async fn start_at(address: IpAddr, settings: Settings) -> io::Result<Self> {
        let api_listener = TcpListener::bind((address, 0)).await?;
        let console_listener = TcpListener::bind((address, 0)).await?;
        let (api, console) = (api_listener.local_addr()?, console_listener.local_addr()?);
        let shared = Arc::new(Shared::new(settings));
        let sessions = Arc::new(Console::new(shared.clone()));
        let stop = CancellationToken::new();

        let state = shared.clone();
        tokio::spawn(serve(
            api_listener,
            stop.clone(),
            || true,
            move |call| {
                let state = state.clone();
                async move { api::handle(&state, console.port(), call).await }
            },
        ));
        let (state, handler) = (shared.clone(), sessions.clone());
        let ready = move || state.provider().is_some();
        tokio::spawn(serve(console_listener, stop.clone(), ready, move |call| {
            let handler = handler.clone();
            async move { handler.handle(&call).await }
        }));
        let (state, stopped) = (shared.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = state.keep_initialised() => {}
            }
        });
        Ok(Self { shared, sessions, api, console, _stop: stop.drop_guard() })
    }

    /// Where S3, STS, admin and health answer: port 9000 of a real one.
    pub fn api(&self) -> SocketAddr {
        self.api
    }

    /// Where the console answers: port 9001 of a real one.
    pub fn console(&self) -> SocketAddr {
        self.console
    }

    /// Whether IAM is initialised: discovery and keys were read.
    pub fn initialised(&self) -> bool {
        self.shared.provider().is_some()
    }

    /// Reads discovery and keys now instead of at its next own try; returns whether IAM is initialised.
    pub async fn initialise(&self) -> bool {
        self.shared.initialise().await.is_some()
    }

    /// Creates or replaces a policy; credentials that name it follow at once
    /// (`truth/minio/03-policy-lifecycle`).
    ///
    /// # Errors
    /// [`PolicyNameError`] when no policy may be called `name`.
    pub fn put_policy(&self, name: &str, policy: PolicyDocument) -> Result<(), PolicyNameError> {
        self.shared.iam_mut().put_policy(name, policy)
    }

    /// The names of all policies, in order.
    pub fn policy_names(&self) -> Vec<String> {
        self.shared.iam().policy_names()
    }

    /// Removes a policy; returns whether there was one.
    pub fn remove_policy(&self, name: &str) -> bool {
        self.shared.iam_mut().remove_policy(name)
    }

    /// Behaves as when it was started and initialised: nothing that has happened since is left.
    pub async fn renew(&self) {
        self.sessions.forget();
        self.shared.renew();
        self.shared.initialise().await;
    }

    /// Behaves as a new process: forgets discovery, cached keys and console sessions, keeps policies, credentials
    /// and objects (`truth/minio/14-authentik-shapes`: `creds_after_restart_and_rotation`).
    pub fn restart(&self) {
        self.sessions.forget();
        self.shared.restart();
    }
}
