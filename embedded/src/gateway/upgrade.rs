//! WebSocket and other upgrades: once the service says 101 the bytes are handed through.

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use ssoproof_deployment::traefik::ServiceDefinition;

use super::answer::{self, Answer};
use super::backend::outgoing;
use super::call::Call;
use super::shared::{MAX_BODY, Shared};

/// Sends an upgrade request to a server of `service` and joins both ends when it agrees.
pub(super) async fn forward(
    call: Call,
    client_side: OnUpgrade,
    service: &ServiceDefinition,
    shared: &Shared,
) -> Answer {
    let wanted = call.headers.get(UPGRADE).cloned().unwrap_or(HeaderValue::from_static("websocket"));
    match exchange(call, client_side, wanted, service, shared).await {
        Ok(answer) => answer,
        Err(reason) => {
            shared.log(format!("ERR 502 Bad Gateway: {reason}"));
            answer::bad_gateway()
        }
    }
}

async fn exchange(
    call: Call,
    client_side: OnUpgrade,
    wanted: HeaderValue,
    service: &ServiceDefinition,
    shared: &Shared,
) -> Result<Answer, String> {
    let server = shared.next_server(service).ok_or("no server")?;
    let mut request = outgoing(call, service, &server, shared).map_err(|error| error.to_string())?;
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    request.headers_mut().insert(UPGRADE, wanted);
    let stream = shared.client.connect(request.uri()).await.map_err(|error| error.to_string())?;
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    *request.uri_mut() = target.parse().map_err(|error: http::uri::InvalidUri| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .title_case_headers(true)
        .handshake(stream)
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(connection.with_upgrades());
    let mut response =
        sender.send_request(request.map(Full::new)).await.map_err(|error| error.to_string())?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| error.to_string())?;
        return Ok(Answer::from_parts(parts, body.to_bytes()));
    }
    let service_side = hyper::upgrade::on(&mut response);
    tokio::spawn(async move {
        if let (Ok(client), Ok(service)) = (client_side.await, service_side.await) {
            let (mut client, mut service) = (TokioIo::new(client), TokioIo::new(service));
            // Either side may hang up at any time; that is how such a connection ends.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut service).await;
        }
    });
    let (parts, _) = response.into_parts();
    Ok(Answer::from_parts(parts, bytes::Bytes::new()))
}
