//! Traefik in small: the outpost's paths go to Authentik, everything else of a service asks forward auth first.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use ssoproof_embedded::dial::DialError;

use crate::client::Browser;

/// The headers that the recorded middleware passes to a service.
const PASSED: [&str; 12] = [
    "x-authentik-username",
    "x-authentik-groups",
    "x-authentik-entitlements",
    "x-authentik-email",
    "x-authentik-name",
    "x-authentik-uid",
    "x-authentik-jwt",
    "x-authentik-meta-jwks",
    "x-authentik-meta-outpost",
    "x-authentik-meta-provider",
    "x-authentik-meta-app",
    "x-authentik-meta-version",
];

/// A request as a browser makes it.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What a browser gets, and what a service was told when the request got that far.
pub(crate) struct Passed {
    pub(crate) response: Response<Bytes>,
    pub(crate) identity: Option<BTreeMap<String, Vec<u8>>>,
}

/// Asks Authentik itself; the headers say everything, `Host` included.
pub(crate) async fn direct(browser: &mut Browser, asked: &Asked) -> Response<Bytes> {
    let (_, path) = split(&asked.url);
    send(browser, &asked.method, &path, asked.headers.clone(), &asked.body).await
}

/// Asks the gateway.
pub(crate) async fn through(browser: &mut Browser, asked: &Asked) -> Passed {
    let (host, path) = split(&asked.url);
    let mut headers: Vec<_> = asked
        .headers
        .iter()
        .filter(|(name, _)| !name.to_ascii_lowercase().starts_with("x-forwarded-"))
        .cloned()
        .collect();
    let websocket =
        headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("upgrade") && value == "websocket");
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("upgrade"));
    let own = host == "auth.spacemusic.tv" || path.starts_with("/outpost.goauthentik.io/");
    let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    add("host", &host);
    add("x-forwarded-host", &host);
    add("x-forwarded-proto", if websocket { "wss" } else { "https" });
    if own {
        let response = send(browser, &asked.method, &path, headers, &asked.body).await;
        return Passed { response, identity: None };
    }
    add("x-forwarded-method", &asked.method);
    add("x-forwarded-uri", &path);
    let mut response = send(browser, "GET", "/outpost.goauthentik.io/auth/traefik", headers, "").await;
    if !response.status().is_success() {
        if asked.method == "HEAD" {
            *response.body_mut() = Bytes::new();
        }
        return Passed { response, identity: None };
    }
    let identity = PASSED
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), response.headers().get(*name)?.as_bytes().to_vec())));
    Passed { identity: Some(identity.collect()), response: Response::new(Bytes::new()) }
}

/// Asks Authentik itself, which may break the connection.
pub(crate) async fn try_direct(browser: &mut Browser, asked: &Asked) -> Result<Response<Bytes>, DialError> {
    let (_, path) = split(&asked.url);
    let headers: Vec<_> = asked.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.cookies.clear();
    browser.try_send(&asked.method, &path, &headers, &asked.body).await
}

async fn send(
    browser: &mut Browser,
    method: &str,
    path: &str,
    headers: Vec<(String, String)>,
    body: &str,
) -> Response<Bytes> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.cookies.clear();
    let response = browser.send(method, path, &headers, body).await;
    browser.cookies.clear();
    response
}

/// Host and the rest of a URL.
fn split(url: &str) -> (String, String) {
    let rest = url.split_once("://").unwrap().1;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let path = if rest[at..].starts_with('/') { rest[at..].to_owned() } else { format!("/{}", &rest[at..]) };
    (rest[..at].to_owned(), path)
}
