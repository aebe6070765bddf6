//! One request on its way through the gateway.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;

/// The longest request head taken, in bytes: Go's 1 MiB and its slack.
pub(super) const LONGEST_HEAD: usize = (1 << 20) + 4096;

/// The longest request body taken, in bytes.
pub(super) const LONGEST_BODY: usize = 32 << 20;

/// A request as far as it was changed.
pub(super) struct Call {
    pub(super) method: Method,
    /// The host as sent.
    pub(super) host: String,
    /// The path, percent-encoded.
    pub(super) path: String,
    /// The query, when there is a `?`.
    pub(super) query: Option<String>,
    /// The header lines without `Host`.
    pub(super) headers: HeaderMap,
    /// Whether it came over TLS.
    pub(super) secure: bool,
    pub(super) client: IpAddr,
    /// The client's connection, when the request asks to switch protocols.
    pub(super) upgrade: Option<OnUpgrade>,
    pub(super) body: Body,
}

/// A request's body.
pub(super) enum Body {
    /// Still on the wire.
    Unread(Incoming),
    /// In memory.
    Read(Bytes),
}

/// Why a body was not read.
pub(super) enum BodyError {
    /// It is longer than the limit.
    TooLong,
    /// The client went away or broke HTTP.
    Broken,
}

impl Call {
    /// The path with the query.
    pub(super) fn uri(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The port in `Host`, or the one that the scheme stands for.
    pub(super) fn port(&self, secure: bool) -> &str {
        let given = self.host.rsplit_once(':').map(|(_, port)| port);
        match given.filter(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(port) => port,
            None if secure => "443",
            None => "80",
        }
    }

    /// Sets the one line called `name`; a value that is none is left out.
    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            self.headers.insert(name, value);
        }
    }

    /// The whole body, of at most `limit` bytes. A body over the limit is gone.
    pub(super) async fn read_body(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        match std::mem::replace(&mut self.body, Body::Read(Bytes::new())) {
            Body::Read(bytes) if bytes.len() > limit => Err(BodyError::TooLong),
            Body::Read(bytes) => {
                self.body = Body::Read(bytes.clone());
                Ok(bytes)
            }
            Body::Unread(body) => match Limited::new(body, limit).collect().await {
                Ok(body) => {
                    let bytes = body.to_bytes();
                    self.body = Body::Read(bytes.clone());
                    Ok(bytes)
                }
                Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLong),
                Err(_) => Err(BodyError::Broken),
            },
        }
    }
}
