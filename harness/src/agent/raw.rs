//! Hand-written requests: the bytes on the wire are the caller's.

use std::time::Instant;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::browser::{Agent, wire_uri};
use super::http1::{self, Progress};
use super::jar::RequestContext;
use super::outgoing::{Mode, RawRequest, host_of, target_of};
use crate::evidence::{Cause, ExchangeError, ExchangeErrorKind, Hop, Ledger, RequestRecord, ResponseRecord};

impl Agent {
    /// One exchange of hand-written bytes over a connection of its own. Nothing is checked or followed, and the
    /// jar is read and written only `with_cookies`. Returns the hop's index.
    pub async fn raw(&mut self, raw: RawRequest, ledger: &mut Ledger) -> usize {
        let mut jar = if raw.with_cookies { self.jar.expire() } else { Vec::new() };
        let url = raw.url.clone();
        let context = RequestContext {
            url: &url,
            initiator: None,
            mode: Mode::Navigation,
            safe_method: matches!(raw.method.as_str(), "GET" | "HEAD"),
        };
        let with_cookies = raw.with_cookies;
        let cookies = if with_cookies { self.jar.header(&context) } else { None };
        let record = assemble(raw, cookies);
        let started = Instant::now();
        let outcome = match tokio::time::timeout(self.limits.timeout, self.exchange_raw(&record)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ExchangeError::new(
                ExchangeErrorKind::TimedOut,
                format!("no answer from `{}` within {} ms", host_of(&url), self.limits.timeout.as_millis()),
            )),
        };
        let took = started.elapsed();
        if let (true, Ok(response)) = (with_cookies, &outcome) {
            jar.extend(self.take_cookies(&context, response));
        }
        ledger.push(Hop {
            index: 0,
            cause: Cause::Raw,
            actor: self.name.clone(),
            request: record,
            outcome,
            jar,
            took,
        })
    }

    async fn exchange_raw(&self, request: &RequestRecord) -> Result<ResponseRecord, ExchangeError> {
        let io = |error: std::io::Error| ExchangeError::new(ExchangeErrorKind::Broken, error.to_string());
        let mut stream = TokioIo::new(self.client.connect(&wire_uri(&request.url)?).await?);
        // A server may answer and close before it has read everything: then its answer counts.
        let written = match stream.write_all(&wire_bytes(request)).await {
            Ok(()) => stream.flush().await,
            Err(error) => Err(error),
        };
        let mut bytes = Vec::new();
        loop {
            let before = bytes.len();
            let closed = match stream.read_buf(&mut bytes).await {
                Ok(read) => read == 0,
                // Rustls reports a close without close_notify this way; HTTP has its own framing.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => true,
                Err(error) if bytes.is_empty() => return Err(io(written.err().unwrap_or(error))),
                Err(_) => true,
            };
            if !closed && bytes.len() == before {
                continue;
            }
            if let Progress::Done(response) =
                http1::read(&bytes, &request.method, self.limits.max_body, closed)?
            {
                return Ok(response);
            }
        }
    }
}

/// What will be sent, line for line.
fn assemble(raw: RawRequest, cookies: Option<String>) -> RequestRecord {
    let given = |name: &str| raw.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    if !raw.suppress_host && !given("host") {
        headers.push((b"Host".to_vec(), host_of(&raw.url).into_bytes()));
    }
    headers.extend(raw.headers.iter().cloned());
    if let Some(cookies) = cookies {
        headers.push((b"Cookie".to_vec(), cookies.into_bytes()));
    }
    if !raw.body.is_empty() && !given("content-length") && !given("transfer-encoding") {
        headers.push((b"Content-Length".to_vec(), raw.body.len().to_string().into_bytes()));
    }
    if !given("connection") {
        headers.push((b"Connection".to_vec(), b"close".to_vec()));
    }
    RequestRecord { method: raw.method, url: raw.url, target: raw.target, headers, body: raw.body }
}

fn wire_bytes(request: &RequestRecord) -> Vec<u8> {
    let target = request.target.clone().unwrap_or_else(|| target_of(&request.url));
    let mut bytes = format!("{} {target} HTTP/1.1\r\n", request.method).into_bytes();
    for (name, value) in &request.headers {
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    bytes
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn names_order_and_bytes_are_the_callers() {
        let raw = RawRequest {
            target: Some("/a/../b".into()),
            ..RawRequest::new("get", Url::parse("https://a.test:8443/x").unwrap())
        }
        .header("X_authentik_username", "evil")
        .header("x-AUTHENTIK-username", b"\xff".to_vec());
        let bytes = wire_bytes(&assemble(raw, Some("a=1".into())));
        assert_eq!(
            bytes,
            b"get /a/../b HTTP/1.1\r\nHost: a.test:8443\r\nX_authentik_username: evil\r\n\
              x-AUTHENTIK-username: \xff\r\nCookie: a=1\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn a_given_host_and_length_are_left_alone() {
        let raw = RawRequest {
            body: b"abc".to_vec(),
            ..RawRequest::new("POST", Url::parse("https://a.test/").unwrap())
        }
        .header("HOST", "b.test")
        .header("Content-Length", "2")
        .header("Connection", "Upgrade");
        let bytes = wire_bytes(&assemble(raw, None));
        assert_eq!(
            bytes,
            b"POST / HTTP/1.1\r\nHOST: b.test\r\nContent-Length: 2\r\nConnection: Upgrade\r\n\r\nabc"
        );
    }
}
