//! What a rule looks at.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

/// The header lines of a request, however the caller keeps them.
pub trait Headers {
    /// Whether a line called `name`, in any case, has a value that passes `test`.
    fn any(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool;
}

/// Name and value of each line.
impl Headers for [(&str, &str)] {
    fn any(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && test(value.as_bytes()))
    }
}

impl<const N: usize> Headers for [(&str, &str); N] {
    fn any(&self, name: &str, test: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.as_slice().any(name, test)
    }
}

/// What is known of a request when its router is chosen.
#[derive(Clone, Copy)]
pub struct RequestFacts<'a> {
    /// The host as sent, with port, case and trailing dot.
    pub host: &'a str,
    /// The path as [`routing_path`](crate::traefik::routing_path) gives it.
    pub path: &'a str,
    /// The query without `?`, percent-encoded.
    pub query: &'a str,
    /// The method.
    pub method: &'a str,
    /// The header lines without `Host`.
    pub headers: &'a dyn Headers,
    /// The client's address.
    pub client: IpAddr,
}

impl<'a> RequestFacts<'a> {
    /// A GET of `path` at `host` from loopback without headers, as static checks ask.
    pub fn get(host: &'a str, path: &'a str) -> Self {
        const NONE: &[(&str, &str); 0] = &[];
        Self { host, path, query: "", method: "GET", headers: NONE, client: IpAddr::V4(Ipv4Addr::LOCALHOST) }
    }

    /// The host in lower case without its port.
    pub(super) fn canonical_host(&self) -> String {
        let host = match self.host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
                match bracketed {
                    Some(name) => name,
                    // Two colons without brackets are no host with a port.
                    None if name.contains(':') => self.host,
                    None => name,
                }
            }
            _ => self.host,
        };
        host.trim().to_ascii_lowercase()
    }

    /// The query's pairs, decoded.
    pub(super) fn query_pairs(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        url::form_urlencoded::parse(self.query.as_bytes())
    }
}
