//! Connections of one entry point.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::answer::{self, Answer};
use super::entry::{self, Looks, is_upgrade};
use super::links::{self, WayBack};
use super::shared::{MAX_BODY, Shared};
use super::{backend, upgrade};

/// The longest time a request's header or a TLS handshake may take.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Takes connections until `stop`, which closes the open ones too.
pub(super) async fn listen(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else { continue };
        let (tls, shared, stop) = (tls.clone(), shared.clone(), stop.clone());
        tokio::spawn(async move {
            // A connection without Nagle's delay; one that cannot be set so works as well.
            let _ = stream.set_nodelay(true);
            let served = async {
                match tls {
                    None => serve(stream, peer, false, shared).await,
                    Some(acceptor) => {
                        let handshake = tokio::time::timeout(HEADER_TIMEOUT, acceptor.accept(stream)).await;
                        if let Ok(Ok(stream)) = handshake {
                            serve(stream, peer, true, shared).await;
                        }
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = served => {}
            }
        });
    }
}

async fn serve<S>(stream: S, peer: SocketAddr, tls: bool, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer_to(request, peer, tls, &shared).await.map(Full::new)) }
    });
    // A broken connection is its client's affair.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .title_case_headers(true)
        .max_headers(512)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

async fn answer_to(
    mut request: Request<Incoming>,
    peer: SocketAddr,
    tls: bool,
    shared: &Arc<Shared>,
) -> Response<Bytes> {
    let client_side = is_upgrade(request.headers()).then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return answer::empty(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => return answer::empty(StatusCode::BAD_REQUEST),
    };
    let (trusted, profile) = (shared.settings.trusts_forwarded, &shared.settings.profile);
    let Some(mut call) = entry::call(parts, body, peer.ip(), tls, trusted, profile) else {
        return answer::not_found();
    };
    let config = shared.config();
    let [http, https] = &shared.entries;
    let looks = Looks::of(&call);
    let Some(router) = config.winner(if tls { https } else { http }, &looks.facts(&call)) else {
        return answer::not_found();
    };
    let router = router.clone();
    shared.log(format!("DBG {} {}{} routerName={}", call.method, call.host, call.path, router.name));
    let mut back = WayBack::default();
    let stopped = links::pass(&router.links, &mut call, shared, &mut back).await;
    let mut answer: Answer = match (stopped, Shared::service(&router)) {
        (Some(answer), _) => answer,
        (None, None) => answer::empty(StatusCode::SERVICE_UNAVAILABLE),
        (None, Some(service)) => match client_side {
            Some(client_side) => upgrade::forward(call, client_side, service, shared).await,
            None => backend::forward(call, service, shared).await,
        },
    };
    back.finish(&mut answer);
    answer
}
