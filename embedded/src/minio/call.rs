//! A request as it arrived, whole, and the listener that brings it.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::listen;

/// The longest body taken, in bytes.
const MAX_BODY: usize = 16 << 20;

/// The answer to a [`Call`].
pub(super) type Answer = Response<Full<Bytes>>;

/// One request. Path and query are as they came, still percent-encoded.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    /// The query's parameters, decoded, in order.
    pub(super) params: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    /// `None` when it is longer than 16 MiB or broke off.
    pub(super) body: Option<Bytes>,
}

impl Call {
    async fn read(request: Request<Incoming>) -> Self {
        let (head, body) = request.into_parts();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let params = pairs(query.as_bytes());
        let body = Limited::new(body, MAX_BODY).collect().await.ok().map(|body| body.to_bytes());
        let path = head.uri.path().to_owned();
        Self { method: head.method, path, query, params, headers: head.headers, body }
    }

    /// The first value of a query parameter.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header's value, empty when absent or no text.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body, empty when it was not read.
    pub(super) fn bytes(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// `https` or `http`, as a gateway in front says, else `http`.
    pub(super) fn scheme(&self) -> &str {
        match self.header("x-forwarded-proto") {
            "https" => "https",
            _ => "http",
        }
    }
}

/// Form-encoded pairs, in order.
pub(super) fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(encoded).map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

/// An answer with a body of `content_type`.
pub(super) fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    if !content_type.is_empty() {
        answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    }
    answer
}

/// Answers every request at `listener` with `handler`, until `stop`. While `open` says no, connections are
/// closed as they come, as near as a bound port gets to one that is not listening.
pub(super) async fn serve<H, F>(
    listener: TcpListener,
    stop: CancellationToken,
    open: impl Fn() -> bool + Send + 'static,
    handler: H,
) where
    H: Fn(Call) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let handler = Arc::new(handler);
    listen::accept(listener, stop, move |stream, _| {
        let (handler, open) = (handler.clone(), open());
        async move {
            if !open {
                return;
            }
            let service = service_fn(move |request| {
                let handler = handler.clone();
                async move { Ok::<_, Infallible>(handler(Call::read(request).await).await) }
            });
            // A broken connection concerns the client alone.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(60))
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    })
    .await;
}
