//! Forwarding to a service.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, UPGRADE};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use ssoproof_deployment::traefik::{Service, Target};

use super::call::{BodyError, Call, LONGEST_BODY};
use super::handle::State;
use super::reply::{self, Reply};
use super::{forwarded, hop};
use crate::dial::DialError;

/// Sends `call` to a server of `service`, the next one in turn.
pub(super) async fn forward(state: &State, service: &Service, mut call: Call) -> Reply {
    if service.servers.is_empty() {
        return reply::error(StatusCode::SERVICE_UNAVAILABLE, "no available server\n");
    }
    let turn = state.turn.fetch_add(1, Ordering::Relaxed);
    let target = &service.servers[turn % service.servers.len()];
    let body = match call.read_body(LONGEST_BODY).await {
        Ok(body) => body,
        Err(BodyError::TooLong) => return reply::reason(StatusCode::PAYLOAD_TOO_LARGE),
        Err(BodyError::Broken) => return reply::reason(StatusCode::BAD_REQUEST),
    };
    let Some(uri) = uri(target, &call) else { return reply::reason(StatusCode::BAD_REQUEST) };
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = uri;
    let upgrade = call.upgrade.take();
    *request.headers_mut() = headers(service, target, call);
    let outcome = match upgrade {
        Some(client) if hop::upgrade(request.headers()).is_some() => {
            return switch(state, service, request, client).await;
        }
        _ => state.client(service.insecure).send(request).await,
    };
    match outcome {
        Ok(response) => answer(response),
        Err(error) => failure(state, service, &error),
    }
}

fn uri(target: &Target, call: &Call) -> Option<Uri> {
    let before = if target.preserve_path { target.url.path().trim_end_matches('/') } else { "" };
    let authority = &target.url[url::Position::BeforeHost..url::Position::AfterPort];
    Uri::builder()
        .scheme(target.url.scheme())
        .authority(authority)
        .path_and_query(format!("{before}{}", call.uri()))
        .build()
        .ok()
}

fn headers(service: &Service, target: &Target, call: Call) -> HeaderMap {
    let mut headers = call.headers;
    hop::strip_for_backend(&mut headers);
    forwarded::append_client(&mut headers, &call.client.to_string());
    headers.remove(CONTENT_LENGTH);
    let authority = &target.url[url::Position::BeforeHost..url::Position::AfterPort];
    let host = if service.pass_host { call.host.as_str() } else { authority };
    if let Ok(host) = HeaderValue::from_str(host) {
        headers.insert(HOST, host);
    }
    hop::in_order_of_go(&headers)
}

/// A backend's answer as the client gets it.
fn answer(response: Response<Bytes>) -> Reply {
    let (mut parts, body) = response.into_parts();
    hop::strip_backend_answer(&mut parts.headers);
    // Go words the status line itself.
    parts.extensions.remove::<hyper::ext::ReasonPhrase>();
    if !body.is_empty() {
        parts.headers.remove(CONTENT_LENGTH);
    }
    Response::from_parts(parts, Full::new(body))
}

fn failure(state: &State, service: &Service, error: &DialError) -> Reply {
    state.log(format!("DBG {error} serviceName={}", service.name));
    reply::reason(match error {
        DialError::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    })
}

/// Sends a request that asks to switch protocols on a connection of its own and, when the backend agrees, joins the
/// two connections.
async fn switch(
    state: &State,
    service: &Service,
    request: Request<Full<Bytes>>,
    client: hyper::upgrade::OnUpgrade,
) -> Reply {
    let stream = match state.client(service.insecure).connect(request.uri()).await {
        Ok(stream) => stream,
        Err(error) => return failure(state, service, &error),
    };
    match exchange(state, request, stream, client).await {
        Ok(response) => response,
        Err(error) => {
            state.log(format!("DBG {error} serviceName={}", service.name));
            reply::reason(StatusCode::BAD_GATEWAY)
        }
    }
}

async fn exchange(
    state: &State,
    mut request: Request<Full<Bytes>>,
    stream: crate::dial::Stream,
    client: hyper::upgrade::OnUpgrade,
) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
    let mut builder = hyper::client::conn::http1::Builder::new();
    let (mut sender, connection) = builder.title_case_headers(true).handshake(stream).await?;
    let stopped = state.stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = stopped.cancelled() => {}
            _ = connection.with_upgrades() => {}
        }
    });
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse()?;
    let mut response = sender.send_request(request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LONGEST_BODY).collect().await?.to_bytes();
        return Ok(answer(Response::from_parts(parts, body)));
    }
    let backend = hyper::upgrade::on(&mut response);
    let stopped = state.stop.clone();
    tokio::spawn(async move {
        let join = async {
            if let (Ok(client), Ok(backend)) = tokio::join!(client, backend) {
                let (mut client, mut backend) = (TokioIo::new(client), TokioIo::new(backend));
                // The end of either side ends both; what was lost with it shows at the peers.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut backend).await;
            }
        };
        tokio::select! {
            () = stopped.cancelled() => {}
            () = join => {}
        }
    });
    let (mut parts, _) = response.into_parts();
    let protocol = parts.headers.get(UPGRADE).cloned();
    hop::strip_backend_answer(&mut parts.headers);
    parts.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Some(protocol) = protocol {
        parts.headers.insert(UPGRADE, protocol);
    }
    Ok(Response::from_parts(parts, Full::default()))
}
