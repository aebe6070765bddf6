//! Names resolved at the dial layer, and the HTTP/1.1 client that dials them.
//!
//! A stack's hosts never touch `/etc/hosts`, nor DNS unless they shall: [`Names`] says where
//! `stream.spacemusic.tv:443` or `authentik-server:9000` listens, and [`Client`] keeps the real SNI and `Host` while it
//! dials there.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, RwLock, RwLockWriteGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The longest response head read, in bytes: Go's bound.
const LONGEST_HEAD: usize = 10 << 20;

/// How long a connection is kept for the next request: less than the shortest time after which a server of the stack
/// closes one, or a request could meet the close.
const IDLE: Duration = Duration::from_secs(5);

/// Where each `host:port` of a stack listens. Clones share the same map.
#[derive(Clone, Default)]
pub struct Names(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    /// Without a port, an entry is for every port that has none of its own.
    hosts: HashMap<(String, Option<u16>), SocketAddr>,
    /// What `*.` stands before; without anything for every host.
    below: Vec<(String, Option<u16>, SocketAddr)>,
    dns: bool,
}

impl Names {
    /// Names of which those that nobody has inserted are asked of the system, as a browser does.
    pub fn with_dns() -> Self {
        Self(Arc::new(RwLock::new(Known { dns: true, ..Known::default() })))
    }

    /// Says that `host` (any case) at `port` is reached at `address`.
    pub fn insert(&self, host: &str, port: u16, address: SocketAddr) {
        self.known().hosts.insert((host.to_ascii_lowercase(), Some(port)), address);
    }

    /// Says that every host that `pattern` stands for is reached at `address`: a host, `*.example.org` for every host
    /// below it, or `*`. Without a `port` this is for every port that has no entry of its own. A host goes before a
    /// pattern, and the longest pattern before others.
    pub fn insert_pattern(&self, pattern: &str, port: Option<u16>, address: SocketAddr) {
        let pattern = pattern.to_ascii_lowercase();
        let mut known = self.known();
        match pattern.strip_prefix('*') {
            None => {
                known.hosts.insert((pattern, port), address);
            }
            Some(below) => {
                known.below.push((below.to_owned(), port, address));
                known.below.sort_by_key(|(below, port, _)| (Reverse(below.len()), port.is_none()));
            }
        }
    }

    /// Forgets `host` at `port`, as when a container has left the network.
    pub fn remove(&self, host: &str, port: u16) {
        self.known().hosts.remove(&(host.to_ascii_lowercase(), Some(port)));
    }

    /// Where `host` at `port` listens, as far as it was inserted. A literal IP address stands for itself, whatever the
    /// patterns say.
    pub fn lookup(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let known = self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let exact = [Some(port), None].into_iter().find_map(|port| known.hosts.get(&(name.clone(), port)));
        let below = || {
            let fits = |(below, of, _): &&(String, Option<u16>, SocketAddr)| {
                name.ends_with(below.as_str()) && of.is_none_or(|of| of == port)
            };
            known.below.iter().find(fits).map(|(_, _, address)| address)
        };
        let literal = || Some(SocketAddr::new(bare.parse().ok()?, port));
        exact.copied().or_else(literal).or_else(|| below().copied())
    }

    /// The addresses to dial for `host` at `port`, the first one first.
    async fn resolve(&self, host: &str, port: u16) -> Vec<SocketAddr> {
        if let Some(address) = self.lookup(host, port) {
            return vec![address];
        }
        if !self.0.read().unwrap_or_else(|poisoned| poisoned.into_inner()).dns {
            return Vec::new();
        }
        tokio::net::lookup_host((host, port)).await.map(Iterator::collect).unwrap_or_default()
    }

    fn known(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Why an exchange gave no response.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name is in no stack.
    #[error("no such host `{host}` at port {port}")]
    UnknownHost {
        /// The host asked for.
        host: String,
        /// The port asked for.
        port: u16,
    },
    /// Nothing listens, or the connection was cut before it stood.
    #[error("failed to connect to `{host}`: {reason}")]
    Connect {
        /// The host asked for.
        host: String,
        /// What the socket said.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("TLS handshake with `{host}` failed: {reason}")]
    Tls {
        /// The host asked for.
        host: String,
        /// What the TLS library said.
        reason: String,
    },
    /// The peer broke HTTP or closed early.
    #[error("failed to exchange with `{host}`: {reason}")]
    Exchange {
        /// The host asked for.
        host: String,
        /// What the HTTP library said.
        reason: String,
    },
    /// The body is longer than the caller reads.
    #[error("body from `{host}` is longer than {limit} bytes")]
    BodyTooLong {
        /// The host asked for.
        host: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// No whole response in time.
    #[error("no answer from `{host}` within {} ms", .after.as_millis())]
    TimedOut {
        /// The host asked for.
        host: String,
        /// The time waited.
        after: Duration,
    },
}

/// An HTTP/1.1 client that dials [`Names`]; follows nothing, stores nothing. Clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: hyper_util::client::legacy::Client<Dialer, Full<Bytes>>,
    dialer: Dialer,
    /// The longest body read, in bytes.
    max_body: usize,
    /// The longest time one exchange may take.
    timeout: Duration,
}

impl Client {
    /// A client for `names` that trusts what `tls` trusts; bodies up to 8 MiB, 30 s for an exchange.
    pub fn new(names: Names, tls: Arc<rustls::ClientConfig>) -> Self {
        let dialer = Dialer { names, tls };
        let inner = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http1_title_case_headers(true)
            .http1_max_buf_size(LONGEST_HEAD)
            .build(dialer.clone());
        Self { inner, dialer, max_body: 8 << 20, timeout: Duration::from_secs(30) }
    }

    /// The same client with other bounds.
    #[must_use]
    pub fn with_bounds(mut self, max_body: usize, timeout: Duration) -> Self {
        self.max_body = max_body;
        self.timeout = timeout;
        self
    }

    /// Sends `request`, whose URI is absolute, and reads the whole body.
    ///
    /// # Errors
    /// [`DialError`] when there is no whole response within the bounds.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, DialError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let exchange = self.exchange(request, &host);
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(DialError::TimedOut { host, after: self.timeout }),
        }
    }

    /// Opens a connection of its own to the scheme, host and port of `uri`, for bytes no library would send.
    ///
    /// # Errors
    /// [`DialError`] when the connection does not stand.
    pub async fn connect(&self, uri: &Uri) -> Result<Stream, DialError> {
        self.dialer.clone().dial(uri.clone()).await
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        host: &str,
    ) -> Result<Response<Bytes>, DialError> {
        let response = self.inner.request(request).await.map_err(|error| from_hyper(error, host))?;
        let (parts, body) = response.into_parts();
        match Limited::new(body, self.max_body).collect().await {
            Ok(body) => Ok(Response::from_parts(parts, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(DialError::BodyTooLong { host: host.to_owned(), limit: self.max_body })
            }
            Err(error) => Err(DialError::Exchange { host: host.to_owned(), reason: error.to_string() }),
        }
    }
}

/// The dial error inside hyper's, or hyper's own words down to the root.
fn from_hyper(error: hyper_util::client::legacy::Error, host: &str) -> DialError {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        if let Some(dial) = inner.downcast_ref::<DialError>() {
            return dial.duplicate();
        }
        reason = inner.to_string();
        source = inner.source();
    }
    DialError::Exchange { host: host.to_owned(), reason }
}

impl DialError {
    fn duplicate(&self) -> Self {
        match self {
            Self::UnknownHost { host, port } => Self::UnknownHost { host: host.clone(), port: *port },
            Self::Connect { host, reason } => Self::Connect { host: host.clone(), reason: reason.clone() },
            Self::Tls { host, reason } => Self::Tls { host: host.clone(), reason: reason.clone() },
            Self::Exchange { host, reason } => Self::Exchange { host: host.clone(), reason: reason.clone() },
            Self::BodyTooLong { host, limit } => Self::BodyTooLong { host: host.clone(), limit: *limit },
            Self::TimedOut { host, after } => Self::TimedOut { host: host.clone(), after: *after },
        }
    }
}

#[derive(Clone)]
struct Dialer {
    names: Names,
    tls: Arc<rustls::ClientConfig>,
}

impl Dialer {
    async fn dial(self, uri: Uri) -> Result<Stream, DialError> {
        let host = uri.host().unwrap_or_default().to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let addresses = self.names.resolve(&host, port).await;
        if addresses.is_empty() {
            return Err(DialError::UnknownHost { host, port });
        }
        let tcp = TcpStream::connect(addresses.as_slice())
            .await
            .and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp))
            .map_err(|error| DialError::Connect { host: host.clone(), reason: error.to_string() })?;
        if !secure {
            return Ok(Stream::Plain(TokioIo::new(tcp)));
        }
        let failed = |reason: String| DialError::Tls { host: host.clone(), reason };
        let name = rustls::pki_types::ServerName::try_from(host.trim_end_matches('.').to_owned())
            .map_err(|error| failed(error.to_string()))?;
        let tls = TlsConnector::from(self.tls)
            .connect(name, tcp)
            .await
            .map_err(|error| failed(error.to_string()))?;
        Ok(Stream::Tls(Box::new(TokioIo::new(tls))))
    }
}

impl tower_service::Service<Uri> for Dialer {
    type Response = Stream;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}

/// A connection to a host of the stack.
pub enum Stream {
    /// Over TCP alone.
    Plain(TokioIo<TcpStream>),
    /// Over TLS.
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(context, buffer),
            Self::Tls(io) => Pin::new(io).poll_read(context, buffer),
        }
    }
}

impl Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(context, bytes),
            Self::Tls(io) => Pin::new(io).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(context),
            Self::Tls(io) => Pin::new(io).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(context),
            Self::Tls(io) => Pin::new(io).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_counts() {
        let names = Names::default();
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        names.insert_pattern("*", None, at(1));
        names.insert_pattern("*.example.org", None, at(2));
        names.insert_pattern("*.Example.org", Some(80), at(3));
        names.insert_pattern("auth.example.org", None, at(4));
        names.insert("auth.example.org", 80, at(5));
        let cases = [
            ("other.test", 443, 1),
            ("example.org", 443, 1),
            ("a.b.example.org.", 443, 2),
            ("a.EXAMPLE.org", 80, 3),
            ("auth.example.org", 443, 4),
            ("auth.example.org", 80, 5),
            ("127.0.0.1", 9, 9),
        ];
        for (host, port, expected) in cases {
            assert_eq!(names.lookup(host, port), Some(at(expected)), "{host}:{port}");
        }
    }

    #[tokio::test]
    async fn dns_is_asked_only_where_it_shall() {
        assert!(Names::default().resolve("localhost", 80).await.is_empty());
        assert!(
            Names::with_dns().resolve("localhost", 80).await.iter().all(|found| found.ip().is_loopback())
        );
        assert!(!Names::with_dns().resolve("localhost", 80).await.is_empty());
    }
}
