//! Header lines that belong to one connection, and header names as Traefik compares them.

use http::HeaderMap;
use http::header::{CONNECTION, HOST, HeaderName, HeaderValue, TE, UPGRADE, USER_AGENT};
use ssoproof_deployment::traefik::canonical_header;

/// What Go's reverse proxy never sends on, in either direction.
const BACKEND: [&str; 9] = [
    "connection",
    "proxy-connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What the auth server is not sent, nor the client from it (`truth/traefik/3.6.7-2-identity-headers`:
/// `hop_by_hop`).
const AUTH: [&str; 6] = ["connection", "keep-alive", "te", "trailers", "transfer-encoding", "upgrade"];

/// The tokens of all `Connection` lines.
pub(super) fn connection_tokens(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|token| String::from_utf8_lossy(token).trim().to_ascii_lowercase())
        .filter(|token| !token.is_empty())
        .collect()
}

/// The protocol a request or an answer switches to.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = connection_tokens(headers).iter().any(|token| token == "upgrade");
    headers.get(UPGRADE).filter(|_| asked).cloned()
}

/// Takes away what a backend is not sent; `TE: trailers` and an upgrade stay.
pub(super) fn strip_for_backend(headers: &mut HeaderMap) {
    let upgrade = upgrade(headers);
    let trailers = headers
        .get_all(TE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"trailers"));
    strip_backend_answer(headers);
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    if let Some(upgrade) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, upgrade);
    }
}

/// Takes away what a client is not sent of a backend's answer.
pub(super) fn strip_backend_answer(headers: &mut HeaderMap) {
    for token in connection_tokens(headers) {
        headers.remove(token);
    }
    BACKEND.iter().for_each(|name| drop(headers.remove(*name)));
}

/// Takes away what goes neither to nor from the auth server.
pub(super) fn strip_auth(headers: &mut HeaderMap) {
    AUTH.iter().for_each(|name| drop(headers.remove(*name)));
}

/// Whether `name` is `other` but for underscores.
pub(super) fn is_alias(name: &HeaderName, other: &str) -> bool {
    name.as_str().contains('_') && name.as_str().replace('_', "-") == other
}

/// The lines in the order in which Go writes them: `Host`, `User-Agent`, then by name as it is on the wire
/// (`truth/traefik/3.6.7-2-identity-headers`: `spoof_variants`). To a service that folds names it makes a difference
/// which of two comes last: `X-Authentik-Username` is before `X_authentik_username`.
pub(super) fn in_order_of_go(headers: &HeaderMap) -> HeaderMap {
    let mut names: Vec<&HeaderName> = headers.keys().collect();
    names.sort_by_cached_key(|name| (**name != HOST, **name != USER_AGENT, canonical_header(name.as_str())));
    let mut ordered = HeaderMap::with_capacity(headers.len());
    for name in names {
        for value in headers.get_all(name) {
            ordered.append(name.clone(), value.clone());
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sent_on_in_the_order_of_go() {
        let mut headers = HeaderMap::new();
        for name in ["x_authentik_username", "x-real-ip", "x.authentik.username", "x-authentik_username"] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        for (name, value) in
            [("x-authentik-username", "1"), ("x-real-ip", "2"), ("user-agent", "1"), ("host", "1")]
        {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let ordered = in_order_of_go(&headers);
        let lines: Vec<(&str, &[u8])> =
            ordered.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let expected: [(&str, &[u8]); 8] = [
            ("host", b"1"),
            ("user-agent", b"1"),
            ("x-authentik-username", b"1"),
            ("x-authentik_username", b"1"),
            ("x-real-ip", b"1"),
            ("x-real-ip", b"2"),
            ("x.authentik.username", b"1"),
            ("x_authentik_username", b"1"),
        ];
        assert_eq!(lines, expected);
    }
}
