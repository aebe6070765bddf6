//! One running gateway.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ssoproof_deployment::traefik::{EntryPoint, RuntimeConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::call::{LONGEST_BODY, LONGEST_HEAD};
use super::handle::{State, handle};
use super::provider::{Provider, Rejected};
use super::reply;
use super::settings::Settings;
use super::verify::any_certificate;
use crate::dial::Client;
use crate::listen::{self, Connection, LOOPBACK};

/// The most header lines of a request.
const MOST_LINES: usize = 1024;
/// The longest time for a request head, and for a TLS handshake.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A Traefik on loopback with one plain and one TLS entry point. Dropping it closes everything.
pub struct Gateway {
    state: Arc<State>,
    http: SocketAddr,
    https: SocketAddr,
    _stop: DropGuard,
}

impl Gateway {
    /// Starts listening with the files loaded. Bad files do not keep it from starting: every request gets a 404
    /// until they are good (`truth/traefik/3.6.7-7-start`).
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let http_listener = TcpListener::bind(LOOPBACK).await?;
        let https_listener = TcpListener::bind(LOOPBACK).await?;
        let (http, https) = (http_listener.local_addr()?, https_listener.local_addr()?);
        let stop = CancellationToken::new();
        let provider = Arc::new(Provider::new(
            settings.directory.clone(),
            [settings.http.clone(), settings.https.clone()],
            settings.profile,
            settings.logs.clone(),
            settings.config.clone(),
        ));
        if settings.watch
            && let Err(error) = provider.watch(settings.throttle, stop.clone())
        {
            settings.logs.write("traefik", format!("ERR failed to watch the files: {error}"));
        }
        let bounded = |client: Client| client.with_bounds(LONGEST_BODY, settings.upstream_timeout);
        let client = |tls| bounded(Client::new(settings.names.clone(), tls));
        let verified = client(settings.upstream_tls.clone());
        let unverified = client(any_certificate().map_err(io::Error::other)?);
        let state = Arc::new(State {
            provider,
            verified,
            unverified,
            turn: AtomicUsize::new(0),
            stop: stop.clone(),
            settings,
        });
        let acceptor = TlsAcceptor::from(state.settings.tls.clone());
        for (listener, tls) in [(http_listener, None), (https_listener, Some(acceptor))] {
            let serving = state.clone();
            let serve = move |stream, peer| serve(serving.clone(), stream, peer, tls.clone());
            tokio::spawn(listen::accept(listener, stop.clone(), serve));
        }
        Ok(Self { state, http, https, _stop: stop.drop_guard() })
    }

    /// Where the plain entry point listens.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where the TLS entry point listens.
    pub fn https(&self) -> SocketAddr {
        self.https
    }

    /// The configuration in use.
    pub fn config(&self) -> Arc<RuntimeConfig> {
        self.state.provider.config()
    }

    /// How often the configuration in use has changed; 0 while there was none.
    pub fn version(&self) -> u64 {
        self.state.provider.subscribe().borrow().version
    }

    /// Reads the files and uses them at once, without waiting for the watcher or the throttle.
    ///
    /// # Errors
    /// [`Rejected`] when they are bad; what was in use stays.
    pub fn reload(&self) -> Result<Arc<RuntimeConfig>, Rejected> {
        self.state.provider.reload()
    }

    /// Waits, for at most `limit`, until the configuration in use passes `test`.
    ///
    /// # Errors
    /// The configuration in use when the time is over.
    pub async fn wait_for(
        &self,
        limit: Duration,
        mut test: impl FnMut(&RuntimeConfig) -> bool,
    ) -> Result<Arc<RuntimeConfig>, Arc<RuntimeConfig>> {
        let mut loaded = self.state.provider.subscribe();
        let passed = tokio::time::timeout(limit, loaded.wait_for(|loaded| test(&loaded.config))).await;
        match passed {
            Ok(Ok(loaded)) => Ok(loaded.config.clone()),
            _ => Err(self.config()),
        }
    }

    /// The list at `/api/http/routers`, without the routers Traefik adds itself.
    pub fn api_routers(&self) -> serde_json::Value {
        self.config().api_routers(self.state.settings.profile)
    }

    /// The list at `/api/http/middlewares`, without the middlewares Traefik adds itself.
    pub fn api_middlewares(&self) -> serde_json::Value {
        self.config().api_middlewares(self.state.settings.profile)
    }
}

async fn serve(state: Arc<State>, stream: Connection, peer: SocketAddr, tls: Option<TlsAcceptor>) {
    match tls {
        None => {
            let entry = state.settings.http.clone();
            talk(state, stream, peer, entry, false).await;
        }
        Some(acceptor) => match tokio::time::timeout(HEAD_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                let entry = state.settings.https.clone();
                talk(state, stream, peer, entry, true).await;
            }
            Ok(Err(error)) => state.log(format!("DBG TLS handshake error from {peer}: {error}")),
            Err(_) => state.log(format!("DBG TLS handshake timed out from {peer}")),
        },
    }
}

async fn talk<S>(state: Arc<State>, stream: S, peer: SocketAddr, entry: EntryPoint, secure: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let log = state.clone();
    let service = service_fn(move |request| {
        let (state, entry) = (state.clone(), entry.clone());
        async move {
            let mut reply = handle(&state, &entry, secure, peer.ip(), request).await;
            reply::date(&mut reply);
            Ok::<_, std::convert::Infallible>(reply)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_LINES)
        .title_case_headers(true)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        log.log(format!("DBG connection from {peer}: {error}"));
    }
}
