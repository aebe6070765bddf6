//! A wire that does not carry what it should: a server between two parts that changes what passes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use ssoproof_deployment::Deployment;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::fault::{Link, Tampering};
use super::recorder::{Exchange, Recorder};
use super::switch::Switch;
use crate::listen::{self, Connection};

/// How long a connection is kept for the next exchange: less than the shortest time after which a server of the stack
/// closes one.
const IDLE: Duration = Duration::from_secs(5);
/// The longest body carried, in bytes.
const LONGEST_BODY: usize = 64 << 20;
/// The longest head carried, in bytes.
const LONGEST_HEAD: usize = 2 << 20;
/// The most header lines carried.
const MOST_LINES: usize = 1024;

/// A running wire, plain HTTP/1.1. Dropping it cuts every connection.
pub struct Wire {
    address: SocketAddr,
    _stop: DropGuard,
}

/// What every exchange of one wire shares.
struct Ends {
    target: SocketAddr,
    does: Does,
    deployment: Arc<Deployment>,
    /// Connections to the target that carry nothing, and since when.
    idle: Mutex<Vec<(Instant, Target)>>,
    stop: CancellationToken,
}

/// A connection to the target.
type Target = client::SendRequest<Full<Bytes>>;

/// What a wire does beside carrying.
enum Does {
    /// Always the same to what passes.
    Tampers(Tampering),
    /// What is asked of every wire of its stack.
    Tapped(Link, Tap),
}

/// What is asked of every wire of a stack.
#[derive(Clone, Default)]
pub struct Tap {
    /// What keeps what passes.
    pub recorder: Option<Recorder>,
    /// What says which fault there is at the time.
    pub switch: Option<Switch>,
}

impl Wire {
    /// Starts on a free loopback port and carries everything to `target`.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start(
        target: SocketAddr,
        tampering: Tampering,
        deployment: Arc<Deployment>,
    ) -> io::Result<Self> {
        Self::lay(target, Does::Tampers(tampering), deployment).await
    }

    /// Starts on a free loopback port and carries everything to `target`, as what passes `link` of a stack with `tap`.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn tapped(
        target: SocketAddr,
        link: Link,
        tap: Tap,
        deployment: Arc<Deployment>,
    ) -> io::Result<Self> {
        Self::lay(target, Does::Tapped(link, tap), deployment).await
    }

    async fn lay(target: SocketAddr, does: Does, deployment: Arc<Deployment>) -> io::Result<Self> {
        let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let ends = Arc::new(Ends { target, does, deployment, idle: Mutex::default(), stop: stop.clone() });
        tokio::spawn(listen::accept(listener, stop.clone(), move |stream, _| serve(ends.clone(), stream)));
        Ok(Self { address, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(ends: Arc<Ends>, stream: Connection) {
    let service = service_fn(move |request| {
        let ends = ends.clone();
        async move { ends.carry(request).await }
    });
    // A broken connection concerns its ends alone.
    let _ = server::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_LINES)
        .preserve_header_case(true)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

impl Does {
    fn tampering(&self) -> Tampering {
        match self {
            Self::Tampers(tampering) => *tampering,
            Self::Tapped(link, tap) => tap.switch.as_ref().map_or(Tampering::NONE, |switch| switch.at(*link)),
        }
    }
}

impl Ends {
    async fn carry(&self, mut request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(io::Error::other)?.to_bytes();
        let mut request = Request::from_parts(parts, body);
        let tampering = self.does.tampering();
        if let Some(answer) = (tampering.request)(&mut request, &self.deployment) {
            return Ok(answer.map(Full::new));
        }
        let (asked, body) = request.into_parts();
        let mut answer =
            self.ask(Request::from_parts(asked.clone(), Full::new(body.clone())), upgrade).await?;
        if let Does::Tapped(link, Tap { recorder: Some(recorder), .. }) = &self.does {
            let request = Request::from_parts(asked.clone(), body);
            recorder.keep(Exchange { link: *link, request, answer: answer.clone() });
        }
        let before = answer.body().len();
        (tampering.response)(&asked, &mut answer, &self.deployment);
        let after = answer.body().len();
        if after != before {
            answer.headers_mut().insert(http::header::CONTENT_LENGTH, after.into());
        }
        Ok(answer.map(Full::new))
    }

    /// Sends `request` on and, when the target switches protocols, joins both sides.
    async fn ask(&self, request: Request<Full<Bytes>>, upgrade: OnUpgrade) -> io::Result<Response<Bytes>> {
        let (mut target, mut response) = self.exchange(request).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let other = hyper::upgrade::on(&mut response);
            self.spawn(async {
                if let (Ok(here), Ok(there)) = tokio::join!(upgrade, other) {
                    let (mut here, mut there) = (TokioIo::new(here), TokioIo::new(there));
                    // The end of either side ends both.
                    let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
                }
            });
            return Ok(Response::from_parts(response.into_parts().0, Bytes::new()));
        }
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(io::Error::other)?.to_bytes();
        // One that the target closes is never ready again.
        if target.ready().await.is_ok() {
            self.idle().push((Instant::now(), target));
        }
        Ok(Response::from_parts(parts, body))
    }

    /// The answer to `request`, by a connection that was kept, else by a new one.
    async fn exchange(&self, mut request: Request<Full<Bytes>>) -> io::Result<(Target, Response<Incoming>)> {
        loop {
            let kept = self.idle().pop();
            let Some((since, mut target)) = kept else { break };
            if since.elapsed() > IDLE || target.is_closed() {
                continue;
            }
            match target.try_send_request(request).await {
                Ok(response) => return Ok((target, response)),
                // It was closed meanwhile, and the request was not sent.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(io::Error::other(error.into_error())),
                },
            }
        }
        let mut target = self.connect().await?;
        let response = target.send_request(request).await.map_err(io::Error::other)?;
        Ok((target, response))
    }

    async fn connect(&self) -> io::Result<Target> {
        let stream = TcpStream::connect(self.target).await?;
        stream.set_nodelay(true)?;
        // Its port is free at once.
        stream.set_zero_linger()?;
        let (target, connection) = client::Builder::new()
            .preserve_header_case(true)
            .max_buf_size(LONGEST_HEAD)
            .max_headers(MOST_LINES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        self.spawn(async { drop(connection.with_upgrades().await) });
        Ok(target)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Target)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A server that answers `most` requests on each connection and says that it closes it then; with how many it has
    /// taken.
    async fn server(most: usize) -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, taken) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = taken.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    for left in (0..most).rev() {
                        let mut head = [0; 4096];
                        if stream.read(&mut head).await.unwrap_or_default() == 0 {
                            return;
                        }
                        let close = if left == 0 { "Connection: close\r\n" } else { "" };
                        let answer = format!("HTTP/1.1 200 OK\r\n{close}Content-Length: 2\r\n\r\nok");
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        (address, taken)
    }

    async fn ask(wire: &Wire, method: &str) -> String {
        let mut stream = TcpStream::connect(wire.address()).await.unwrap();
        let head = format!("{method} / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok") {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{}", String::from_utf8_lossy(&answer));
        }
        String::from_utf8(answer).unwrap()
    }

    async fn laid(most: usize) -> (Wire, Arc<AtomicUsize>) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");
        let deployment = Arc::new(Deployment::load(folder.as_ref()).unwrap());
        let (target, taken) = server(most).await;
        (Wire::start(target, Tampering::NONE, deployment).await.unwrap(), taken)
    }

    #[tokio::test]
    async fn exchanges_share_a_connection() {
        let (wire, taken) = laid(usize::MAX).await;
        for _ in 0..3 {
            assert!(ask(&wire, "GET").await.ends_with("ok"));
        }
        assert_eq!(taken.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_connection_that_the_target_closes_is_not_used_again() {
        let (wire, taken) = laid(1).await;
        for method in ["GET", "POST", "POST", "GET"] {
            assert!(ask(&wire, method).await.ends_with("ok"), "{method}");
        }
        assert_eq!(taken.load(Ordering::SeqCst), 4);
    }
}
