//! The service behind the gateway: it keeps what it saw and answers as the recorded echo service.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;

use super::compare::latin1;
use super::read::Echo;

/// The answer to the `Sec-WebSocket-Key` that the recordings send, which is that of RFC 6455, section 1.3.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

type Seen = Arc<Mutex<Vec<Echo>>>;

/// A running echo service.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    seen: Seen,
}

impl Service {
    /// Starts on a free loopback port, until the runtime ends.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let seen = Seen::default();
        let router = Router::new().fallback(answer).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    /// The requests since the last call.
    pub(super) fn take(&self) -> Vec<Echo> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer(State(seen): State<Seen>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), latin1(value.as_bytes())));
    let echo = Echo {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: headers.collect(),
        body: latin1(&body),
    };
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(echo);
    let cookie = ("set-cookie", "backend_cookie=1; Path=/");
    if parts.headers.contains_key("sec-websocket-key") {
        let upgrade = [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", ACCEPT)];
        return (StatusCode::SWITCHING_PROTOCOLS, upgrade).into_response();
    }
    ([("content-type", "application/json"), cookie], "{}").into_response()
}
