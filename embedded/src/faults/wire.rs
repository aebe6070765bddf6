//! A wire that does not carry what it should: a server between two parts that changes what passes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

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
use crate::listen::{self, Connection};

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
    tampering: Tampering,
    recorder: Option<(Link, Recorder)>,
    deployment: Arc<Deployment>,
    stop: CancellationToken,
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
        Self::lay(target, tampering, None, deployment).await
    }

    /// Starts on a free loopback port, carries everything to `target` as it is and keeps it in `recorder` as what
    /// passed `link`.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn recording(
        target: SocketAddr,
        link: Link,
        recorder: Recorder,
        deployment: Arc<Deployment>,
    ) -> io::Result<Self> {
        let idle = Tampering { request: |_, _| None, response: |_, _, _| () };
        Self::lay(target, idle, Some((link, recorder)), deployment).await
    }

    async fn lay(
        target: SocketAddr,
        tampering: Tampering,
        recorder: Option<(Link, Recorder)>,
        deployment: Arc<Deployment>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let ends = Arc::new(Ends { target, tampering, recorder, deployment, stop: stop.clone() });
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

impl Ends {
    async fn carry(&self, mut request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, LONGEST_BODY).collect().await.map_err(io::Error::other)?.to_bytes();
        let mut request = Request::from_parts(parts, body);
        if let Some(answer) = (self.tampering.request)(&mut request, &self.deployment) {
            return Ok(answer.map(Full::new));
        }
        let (asked, body) = request.into_parts();
        let kept = self.recorder.as_ref().map(|_| Request::from_parts(asked.clone(), body.clone()));
        let mut answer = self.ask(Request::from_parts(asked.clone(), Full::new(body)), upgrade).await?;
        if let (Some((link, recorder)), Some(request)) = (&self.recorder, kept) {
            recorder.keep(Exchange { link: *link, request, answer: answer.clone() });
        }
        let before = answer.body().len();
        (self.tampering.response)(&asked, &mut answer, &self.deployment);
        let after = answer.body().len();
        if after != before {
            answer.headers_mut().insert(http::header::CONTENT_LENGTH, after.into());
        }
        Ok(answer.map(Full::new))
    }

    /// Sends `request` on and, when the target switches protocols, joins both sides.
    async fn ask(&self, request: Request<Full<Bytes>>, upgrade: OnUpgrade) -> io::Result<Response<Bytes>> {
        let stream = TcpStream::connect(self.target).await?;
        // One exchange each: its port is free at once.
        stream.set_zero_linger()?;
        let stream = TokioIo::new(stream);
        let (mut sender, connection) = client::Builder::new()
            .preserve_header_case(true)
            .max_buf_size(LONGEST_HEAD)
            .max_headers(MOST_LINES)
            .handshake(stream)
            .await
            .map_err(io::Error::other)?;
        self.spawn(async { drop(connection.with_upgrades().await) });
        let mut response = sender.send_request(request).await.map_err(io::Error::other)?;
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
        Ok(Response::from_parts(parts, body))
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
