//! An entry point: what happens to every request before a router is chosen.

use bytes::Bytes;
use http::header::{CONNECTION, HOST, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use ssoproof_deployment::traefik::{Facts, Profile, routing_path, sanitised};

use super::call::Call;

/// Headers that a proxy sets and a client at an untrusted entry point cannot
/// (`truth/traefik/3.6.7-1-forwarded-headers`).
const FORWARDED: [&str; 10] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-real-ip",
];

/// How the gateway names itself in `X-Forwarded-Server`.
const SERVER: HeaderValue = HeaderValue::from_static("traefik");

/// The request as routers and middlewares see it; none without a host.
pub(super) fn call(
    parts: Parts,
    body: Bytes,
    peer: std::net::IpAddr,
    tls: bool,
    trusted: bool,
    profile: &Profile,
) -> Option<Call> {
    let given = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.authority().map(|authority| authority.as_str()).or(given)?.to_owned();
    if host.is_empty() {
        return None;
    }
    let path = parts.uri.path();
    let path = if profile.cleans_paths { sanitised(path) } else { path.to_owned() };
    let query = parts.uri.query().map(str::to_owned);
    let mut call = Call { method: parts.method, host, path, query, headers: parts.headers, body, peer, tls };
    forwarded(&mut call, trusted, profile);
    Some(call)
}

/// What rules look at, owned.
pub(super) struct Looks {
    path: String,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl Looks {
    pub(super) fn of(call: &Call) -> Self {
        let headers = call
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let query = call.query.as_deref().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { path: routing_path(&call.path), headers, query }
    }

    pub(super) fn facts<'a>(&'a self, call: &'a Call) -> Facts<'a> {
        Facts {
            host: &call.host,
            path: &self.path,
            method: call.method.as_str(),
            headers: &self.headers,
            query: &self.query,
            client: Some(call.peer),
        }
    }
}

/// Drops what a client may not say of itself and says it in its place.
fn forwarded(call: &mut Call, trusted: bool, profile: &Profile) {
    if !trusted {
        for name in FORWARDED {
            call.headers.remove(name);
        }
        if profile.strips_forwarded_prefix {
            call.headers.remove("x-forwarded-prefix");
        }
        if profile.strips_forwarded_aliases {
            let aliases: Vec<HeaderName> = call
                .headers
                .keys()
                .filter(|name| {
                    name.as_str().contains('_') && name.as_str().replace('_', "-").starts_with("x-forwarded-")
                })
                .cloned()
                .collect();
            for name in aliases {
                call.headers.remove(name);
            }
        }
    }
    let websocket = is_upgrade(&call.headers);
    let proto = match (websocket, call.tls) {
        (false, false) => "http",
        (false, true) => "https",
        (true, false) => "ws",
        (true, true) => "wss",
    };
    let port = match call.host.rsplit_once(':') {
        Some((_, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !port.is_empty() => {
            port.to_owned()
        }
        _ => if call.tls { "443" } else { "80" }.to_owned(),
    };
    let says = [
        ("x-real-ip", HeaderValue::from_str(&call.peer.to_string())),
        ("x-forwarded-proto", HeaderValue::from_str(proto)),
        ("x-forwarded-port", HeaderValue::from_str(&port)),
        ("x-forwarded-host", HeaderValue::from_str(&call.host)),
        ("x-forwarded-server", Ok(SERVER)),
    ];
    for (name, value) in says {
        if let (Ok(value), false) = (value, call.headers.contains_key(name)) {
            call.headers.insert(name, value);
        }
    }
}

/// Whether the client asks for another protocol, as a WebSocket does.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    let asks = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case("upgrade"));
    let websocket =
        headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    asks && websocket
}

/// Takes away what belongs to one connection alone.
pub(super) fn drop_hop_headers(headers: &mut HeaderMap, profile: &Profile) {
    if profile.obeys_connection_names {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"] {
        headers.remove(name);
    }
}
