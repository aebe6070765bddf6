//! A request on its way through the gateway.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Method};

/// A request with its whole body, as middlewares see and change it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// `Host`, or the authority of an absolute request target, which wins.
    pub(super) host: String,
    /// The path as it is forwarded.
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) peer: IpAddr,
    /// Whether it came by TLS.
    pub(super) tls: bool,
}

impl Call {
    /// Path and query.
    pub(super) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}
