//! Forwarding to a service.

use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Request};
use http_body_util::Full;
use ssoproof_deployment::traefik::ServiceDefinition;
use url::Url;

use super::answer::{self, Answer};
use super::call::Call;
use super::entry::drop_hop_headers;
use super::shared::Shared;

/// Sends `call` to a server of `service`; 502 when it does not answer.
pub(super) async fn forward(call: Call, service: &ServiceDefinition, shared: &Shared) -> Answer {
    let Some(server) = shared.next_server(service) else {
        return answer::empty(http::StatusCode::SERVICE_UNAVAILABLE);
    };
    let request = match outgoing(call, service, &server, shared) {
        Ok(request) => request,
        Err(error) => {
            shared.log(format!("ERR 502 Bad Gateway: {error} server={server}"));
            return answer::bad_gateway();
        }
    };
    match shared.client.send(request.map(Full::new)).await {
        Ok(mut response) => {
            drop_hop_headers(response.headers_mut(), &shared.settings.profile);
            response
        }
        Err(error) => {
            shared.log(format!("ERR 502 Bad Gateway: {error} server={server}"));
            answer::bad_gateway()
        }
    }
}

/// The request for `server`, as the service will see it.
pub(super) fn outgoing(
    call: Call,
    service: &ServiceDefinition,
    server: &str,
    shared: &Shared,
) -> Result<Request<bytes::Bytes>, http::Error> {
    let base = server.trim_end_matches('/');
    let target = call.target();
    let mut headers = call.headers;
    drop_hop_headers(&mut headers, &shared.settings.profile);
    let chain = match headers.get("x-forwarded-for") {
        Some(before) => format!("{}, {}", String::from_utf8_lossy(before.as_bytes()), call.peer),
        None => call.peer.to_string(),
    };
    headers.insert("x-forwarded-for", HeaderValue::from_str(&chain)?);
    let host = if service.pass_host_header {
        call.host
    } else {
        let url = Url::parse(server).ok();
        url.map(|url| url.authority().to_owned()).unwrap_or_default()
    };
    headers.insert(HOST, HeaderValue::from_str(&host)?);
    if call.body.is_empty() && !headers.contains_key(CONTENT_LENGTH) {
        headers.remove(CONTENT_LENGTH);
    } else {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(call.body.len()));
    }
    let mut request =
        Request::builder().method(call.method).uri(format!("{base}{target}")).body(call.body)?;
    *request.headers_mut() = headers;
    Ok(request)
}
