//! One running gateway.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use notify::RecommendedWatcher;
use serde_json::Value;
use ssoproof_deployment::Problem;
use ssoproof_deployment::traefik::Runtime;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::listener::listen;
use super::settings::Settings;
use super::shared::Shared;
use super::watch as folder;

/// A gateway on loopback with a plain and a TLS port. Dropping it closes every connection.
pub struct Gateway {
    shared: Arc<Shared>,
    http: SocketAddr,
    https: SocketAddr,
    _watcher: Option<RecommendedWatcher>,
    _stop: DropGuard,
}

impl Gateway {
    /// Reads the folder and starts listening. As with Traefik a bad file is no reason not to start: then nothing
    /// is loaded, every request gets 404, and the log says why (`truth/traefik/3.6.7-7-start`).
    ///
    /// # Errors
    /// When no loopback port can be bound, or the folder cannot be watched.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let http_listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let https_listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (http, https) = (http_listener.local_addr()?, https_listener.local_addr()?);
        let acceptor = TlsAcceptor::from(settings.tls.clone());
        let watches = settings.watch;
        let shared = Arc::new(Shared::new(settings));
        // What is wrong with the files is in the log.
        let _ = shared.reload();
        let watcher = if watches { Some(folder::watch(&shared).map_err(io::Error::other)?) } else { None };
        let stop = CancellationToken::new();
        tokio::spawn(listen(http_listener, None, shared.clone(), stop.clone()));
        tokio::spawn(listen(https_listener, Some(acceptor), shared.clone(), stop.clone()));
        Ok(Self { shared, http, https, _watcher: watcher, _stop: stop.drop_guard() })
    }

    /// Where the plain entry point listens.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where the TLS entry point listens.
    pub fn https(&self) -> SocketAddr {
        self.https
    }

    /// The configuration in force.
    pub fn config(&self) -> Arc<Runtime> {
        self.shared.config()
    }

    /// A number that rises whenever a configuration is taken.
    pub fn taken(&self) -> watch::Receiver<u64> {
        self.shared.taken()
    }

    /// Reads the folder now.
    ///
    /// # Errors
    /// What is wrong with its files; then the configuration stays as it was.
    pub fn reload(&self) -> Result<(), Vec<Problem>> {
        self.shared.reload()
    }

    /// The routers as `/api/http/routers` lists them.
    pub fn routers(&self) -> Value {
        self.config().routers.iter().map(|router| router.to_json()).collect()
    }
}
