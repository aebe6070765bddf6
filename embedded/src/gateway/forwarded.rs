//! `X-Forwarded-*` and `Connection` at the entry point (`truth/traefik/3.6.7-1-forwarded-headers`).

use http::header::{CONNECTION, HeaderMap, HeaderValue};
use ssoproof_deployment::traefik::Profile;

use super::call::Call;
use super::hop;

pub(super) const FOR: &str = "x-forwarded-for";
pub(super) const HOST: &str = "x-forwarded-host";
pub(super) const METHOD: &str = "x-forwarded-method";
pub(super) const PORT: &str = "x-forwarded-port";
pub(super) const PREFIX: &str = "x-forwarded-prefix";
pub(super) const PROTO: &str = "x-forwarded-proto";
pub(super) const SERVER: &str = "x-forwarded-server";
pub(super) const URI: &str = "x-forwarded-uri";
pub(super) const REAL_IP: &str = "x-real-ip";

/// What only a proxy may say.
const ALL: [&str; 11] = [
    FOR,
    HOST,
    METHOD,
    PORT,
    PREFIX,
    PROTO,
    SERVER,
    URI,
    REAL_IP,
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
];

/// Takes away what an untrusted client must not say, adds what the gateway itself knows, and drops what the
/// client's `Connection` lists.
pub(super) fn enter(call: &mut Call, trusted: bool, hostname: &str, profile: &Profile) {
    if !trusted {
        for name in ALL.into_iter().filter(|name| *name != PREFIX || profile.strips_forwarded_prefix) {
            call.headers.remove(name);
        }
        if profile.strips_forwarded_aliases {
            strip_aliases(&mut call.headers);
        }
    }
    add_own(call, hostname);
    drop_listed(&mut call.headers, profile);
}

/// Takes away lines such as `X_Forwarded_Host`.
pub(super) fn strip_aliases(headers: &mut HeaderMap) {
    let aliases: Vec<_> =
        headers.keys().filter(|name| ALL.iter().any(|real| hop::is_alias(name, real))).cloned().collect();
    aliases.iter().for_each(|name| drop(headers.remove(name)));
}

fn add_own(call: &mut Call, hostname: &str) {
    if !call.headers.contains_key(REAL_IP) {
        let client = call.client.to_string();
        call.set(REAL_IP, &client);
    }
    if !call.headers.contains_key(PROTO) {
        let websocket = hop::upgrade(&call.headers)
            .is_some_and(|upgrade| upgrade.as_bytes().eq_ignore_ascii_case(b"websocket"));
        call.set(
            PROTO,
            match (websocket, call.secure) {
                (true, true) => "wss",
                (true, false) => "ws",
                (false, true) => "https",
                (false, false) => "http",
            },
        );
    }
    if !call.headers.contains_key(PORT) {
        let proto = call.headers.get(PROTO).map(HeaderValue::as_bytes);
        let secure = call.secure || matches!(proto, Some(b"https" | b"wss"));
        let port = call.port(secure).to_owned();
        call.set(PORT, &port);
    }
    if !call.headers.contains_key(HOST) && !call.host.is_empty() {
        let host = call.host.clone();
        call.set(HOST, &host);
    }
    call.set(SERVER, hostname);
}

fn drop_listed(headers: &mut HeaderMap, profile: &Profile) {
    let upgrade = hop::upgrade(headers);
    for token in hop::connection_tokens(headers) {
        if token != "upgrade" && (profile.connection_drops_forwarded || !ALL.contains(&token.as_str())) {
            headers.remove(token);
        }
    }
    headers.remove(CONNECTION);
    if upgrade.is_some() {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    }
}

/// The `X-Forwarded-For` that the next server sees: the client's address after `prior` ones.
pub(super) fn append_client(headers: &mut HeaderMap, client: &str) {
    let prior: Vec<&[u8]> = headers.get_all(FOR).iter().map(HeaderValue::as_bytes).collect();
    let mut value = prior.join(&b", "[..]);
    if !value.is_empty() {
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(client.as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&value) {
        headers.insert(FOR, value);
    }
}
