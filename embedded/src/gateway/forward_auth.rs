//! forwardAuth: ask first (`truth/traefik/3.6.7-{1,2,3,4}-*`).

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, LOCATION, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use ssoproof_deployment::traefik::{ForwardAuth, Profile};
use url::Url;

use super::answer::{self, Answer};
use super::call::Call;
use super::entry::drop_hop_headers;
use crate::dial::Client;

/// The header that a Go client sends when nobody named one.
const GO: HeaderValue = HeaderValue::from_static("Go-http-client/1.1");

/// What the auth server decided.
pub(super) enum Decision {
    /// The request goes on, and these cookies go to the client.
    Through(Vec<HeaderValue>),
    /// The client gets this answer.
    Stop(Answer),
}

/// Asks the auth server about `call`; what it says of the user is put on `call`.
///
/// The second value is what went wrong, for the log: then the client gets 500.
pub(super) async fn ask(
    auth: &ForwardAuth,
    call: &mut Call,
    client: &Client,
    profile: &Profile,
) -> (Decision, Option<String>) {
    if auth.forward_body && auth.max_body_size.is_some_and(|most| call.body.len() > most) {
        return (Decision::Stop(answer::empty(StatusCode::UNAUTHORIZED)), None);
    }
    let failed =
        |reason: String| (Decision::Stop(answer::empty(StatusCode::INTERNAL_SERVER_ERROR)), Some(reason));
    let Some(address) = Url::parse(&auth.address).ok().filter(Url::has_host) else {
        return failed(format!("`{}` is no URL", auth.address));
    };
    let request = match question(auth, call, profile) {
        Ok(request) => request,
        Err(error) => return failed(error.to_string()),
    };
    let response = match client.send(request).await {
        Ok(response) => response,
        Err(error) => return failed(error.to_string()),
    };
    if auth.max_response_body_size.is_some_and(|most| response.body().len() > most) {
        return (Decision::Stop(answer::empty(StatusCode::UNAUTHORIZED)), None);
    }
    if response.status().is_success() {
        let cookies = passed_cookies(auth, response.headers());
        identify(auth, &mut call.headers, response.headers());
        return (Decision::Through(cookies), None);
    }
    (Decision::Stop(refusal(auth, response, &address, profile)), None)
}

/// The request to the auth server: GET of its address alone, with the client's headers and X-Forwarded-*.
fn question(auth: &ForwardAuth, call: &Call, profile: &Profile) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut headers = call.headers.clone();
    drop_hop_headers(&mut headers, profile);
    if !auth.auth_request_headers.is_empty() {
        let listed = |name: &HeaderName| {
            auth.auth_request_headers.iter().any(|listed| listed.eq_ignore_ascii_case(name.as_str()))
        };
        headers =
            headers.iter().filter(|(name, _)| listed(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    }
    headers.remove(HOST);
    headers.remove(CONTENT_LENGTH);
    let trusted = |name: &str| call.headers.get(name).cloned().filter(|_| auth.trust_forward_header);
    let own = |text: &str| HeaderValue::from_bytes(text.as_bytes());
    let scheme = if call.tls { "https" } else { "http" };
    let says = [
        ("x-forwarded-method", own(call.method.as_str())),
        ("x-forwarded-proto", own(scheme)),
        ("x-forwarded-host", own(&call.host)),
        ("x-forwarded-uri", own(&call.target())),
    ];
    for (name, value) in says {
        headers.insert(
            HeaderName::from_static(name),
            match trusted(name) {
                Some(value) => value,
                None => value?,
            },
        );
    }
    let chain = match trusted("x-forwarded-for") {
        Some(before) => format!("{}, {}", String::from_utf8_lossy(before.as_bytes()), call.peer),
        None => call.peer.to_string(),
    };
    headers.insert("x-forwarded-for", own(&chain)?);
    if !headers.contains_key(USER_AGENT) {
        headers.insert(USER_AGENT, GO);
    }
    let body = if auth.forward_body { call.body.clone() } else { Bytes::new() };
    let method = if auth.preserve_request_method { call.method.clone() } else { Method::GET };
    let mut request = Request::builder().method(method).uri(&auth.address).body(Full::new(body))?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Listed headers are the auth server's or nobody's; others stay the client's.
fn identify(auth: &ForwardAuth, request: &mut HeaderMap, response: &HeaderMap) {
    for name in &auth.auth_response_headers {
        let Ok(name) = name.parse::<HeaderName>() else { continue };
        request.remove(&name);
        for value in response.get_all(&name) {
            request.append(&name, value.clone());
        }
    }
    if let Some(Ok(pattern)) = &auth.auth_response_headers_regex {
        let matching = |headers: &HeaderMap| -> Vec<HeaderName> {
            headers.keys().filter(|name| pattern.is_match(&canonical(name))).cloned().collect()
        };
        for name in matching(request) {
            request.remove(name);
        }
        for name in matching(response) {
            for value in response.get_all(&name) {
                request.append(&name, value.clone());
            }
        }
    }
}

fn passed_cookies(auth: &ForwardAuth, response: &HeaderMap) -> Vec<HeaderValue> {
    let named = |value: &HeaderValue| {
        let name = value.to_str().ok().and_then(|text| text.split('=').next()).unwrap_or_default().trim();
        auth.add_auth_cookies_to_response.iter().any(|listed| listed == name)
    };
    response.get_all(SET_COOKIE).iter().filter(|value| named(value)).cloned().collect()
}

/// The auth server's answer for the client, a relative `Location` resolved against the auth server's address.
fn refusal(auth: &ForwardAuth, response: Answer, address: &Url, profile: &Profile) -> Answer {
    let mut answer = response;
    drop_hop_headers(answer.headers_mut(), profile);
    answer.headers_mut().remove(CONTENT_LENGTH);
    if auth.preserve_location_header {
        return answer;
    }
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let absolute = location
        .filter(|location| Url::parse(location).is_err())
        .and_then(|location| address.join(location).ok())
        .and_then(|url| HeaderValue::from_str(url.as_str()).ok());
    if let Some(absolute) = absolute {
        answer.headers_mut().insert(LOCATION, absolute);
    }
    answer
}

/// The name in Go's canonical form: `X-Authentik-Username`.
fn canonical(name: &HeaderName) -> String {
    let mut start = true;
    name.as_str()
        .chars()
        .map(|c| {
            let out = if start { c.to_ascii_uppercase() } else { c };
            start = c == '-';
            out
        })
        .collect()
}

/// Puts `cookies` on the client's answer, in place of cookies of the same name.
pub(super) fn add_cookies(answer: &mut Answer, cookies: &[HeaderValue]) {
    let name = |value: &HeaderValue| {
        value.to_str().ok().and_then(|text| text.split('=').next()).unwrap_or_default().trim().to_owned()
    };
    let names: Vec<String> = cookies.iter().map(name).collect();
    let kept: Vec<HeaderValue> = answer
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .filter(|value| !names.contains(&name(value)))
        .cloned()
        .collect();
    answer.headers_mut().remove(SET_COOKIE);
    for value in kept.into_iter().chain(cookies.iter().cloned()) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssoproof_deployment::Located;

    fn auth(listed: &[&str]) -> ForwardAuth {
        ForwardAuth {
            auth_response_headers: listed.iter().map(|name| Located::nowhere((*name).to_owned())).collect(),
            ..ForwardAuth::default()
        }
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn listed_headers_are_the_auth_servers_or_nobodys() {
        let mut request =
            headers(&[("x-authentik-username", "evil"), ("x-authentik-foo", "evil"), ("cookie", "a=1")]);
        let response = headers(&[("x-authentik-username", "alice")]);
        identify(&auth(&["X-Authentik-UserName", "X-authentik-email", "Cookie"]), &mut request, &response);
        assert_eq!(request.get("x-authentik-username").unwrap(), "alice");
        assert_eq!(request.get("x-authentik-foo").unwrap(), "evil");
        assert!(request.get("cookie").is_none());
    }

    #[test]
    fn the_pattern_sees_canonical_names() {
        let response = headers(&[("x-authentik-username", "alice")]);
        for (pattern, seen) in
            [("^X-authentik-", "evil"), ("^X-Authentik-", "alice"), ("(?i)^x-authentik-", "alice")]
        {
            let mut request = headers(&[("x-authentik-username", "evil")]);
            let auth = ForwardAuth {
                auth_response_headers_regex: Some(Ok(regex::Regex::new(pattern).unwrap())),
                ..ForwardAuth::default()
            };
            identify(&auth, &mut request, &response);
            assert_eq!(request.get("x-authentik-username").unwrap(), seen, "{pattern}");
        }
    }
}
