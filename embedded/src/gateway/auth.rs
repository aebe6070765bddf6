//! The `forwardAuth` middleware.

use bytes::Bytes;
use http::header::{
    CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE, USER_AGENT,
};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use regex::Regex;
use ssoproof_deployment::traefik::{ForwardAuth, Profile, canonical_header};
use url::Url;

use super::call::{BodyError, Call, LONGEST_BODY};
use super::handle::State;
use super::location::resolve;
use super::reply::{self, Reply};
use super::{forwarded, hop};

/// What the auth server decided.
pub(super) enum Decision {
    /// The request goes on; these cookies go to the client with the answer.
    Allowed(Vec<HeaderValue>),
    /// The client gets this answer.
    Refused(Reply),
}

/// Asks the auth server about `call` and puts what it says of the user into the headers.
pub(super) async fn ask(
    state: &State,
    name: &str,
    auth: &ForwardAuth,
    pattern: Option<&Regex>,
    call: &mut Call,
) -> Decision {
    let failed = |reason: &str| {
        state.log(format!(
            "ERR Error calling {} error={reason:?} middlewareName={name} middlewareType=ForwardAuth",
            auth.address
        ));
        Decision::Refused(reply::plain(StatusCode::INTERNAL_SERVER_ERROR, ""))
    };
    let address = match Url::parse(&auth.address) {
        Ok(address) if matches!(address.scheme(), "http" | "https") => address,
        _ => return failed("unsupported protocol scheme"),
    };
    let body = match body(auth, call).await {
        Ok(body) => body,
        Err(reply) => return Decision::Refused(reply),
    };
    let method = if auth.preserve_method { call.method.clone() } else { Method::GET };
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.headers_mut() = request_headers(auth, call, state.settings.profile);
    match address.as_str().parse() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return failed("the address is no URL"),
    }
    let response = match state.client(auth.insecure).send(request).await {
        Ok(response) => response,
        Err(error) => return failed(&error.to_string()),
    };
    if usize::try_from(auth.max_response_body).is_ok_and(|limit| response.body().len() > limit) {
        return Decision::Refused(reply::plain(StatusCode::UNAUTHORIZED, ""));
    }
    if response.status().is_success() {
        take_headers(auth, pattern, response.headers(), &mut call.headers);
        return Decision::Allowed(cookies(&auth.cookies, response.headers()));
    }
    Decision::Refused(refusal(auth, &address, response))
}

/// The body to send along.
async fn body(auth: &ForwardAuth, call: &mut Call) -> Result<Bytes, Reply> {
    if !auth.forward_body {
        return Ok(Bytes::new());
    }
    let limit = usize::try_from(auth.max_body).unwrap_or(LONGEST_BODY).min(LONGEST_BODY);
    call.read_body(limit).await.map_err(|error| match error {
        BodyError::TooLong => reply::plain(StatusCode::UNAUTHORIZED, ""),
        BodyError::Broken => reply::plain(StatusCode::INTERNAL_SERVER_ERROR, ""),
    })
}

/// The client's lines, as far as the auth server may see them, and what the gateway says of the request.
fn request_headers(auth: &ForwardAuth, call: &Call, profile: &Profile) -> HeaderMap {
    let mut headers = call.headers.clone();
    hop::strip_auth(&mut headers);
    headers.remove(CONTENT_LENGTH);
    if !auth.request_headers.is_empty() {
        let listed = |name: &HeaderName| {
            auth.request_headers.iter().any(|listed| listed.eq_ignore_ascii_case(name.as_str()))
        };
        headers = headers_where(&headers, listed);
    }
    let explicit = profile.explicit_trust_is_strict.then_some(auth.trust_forward_header).flatten();
    let trust = auth.trust_forward_header.unwrap_or_default();
    let told = |name: &str| call.headers.get(name).filter(|_| trust).cloned();
    let own = |value: &str| HeaderValue::from_bytes(value.as_bytes()).ok();
    let scheme = if call.secure { "https" } else { "http" };
    for (name, value) in [
        (forwarded::METHOD, told(forwarded::METHOD).or_else(|| own(call.method.as_str()))),
        (forwarded::PROTO, told(forwarded::PROTO).or_else(|| own(scheme))),
        (forwarded::HOST, told(forwarded::HOST).or_else(|| own(&call.host))),
        (forwarded::URI, told(forwarded::URI).or_else(|| own(&call.uri()))),
    ] {
        match value {
            Some(value) => drop(headers.insert(name, value)),
            None => drop(headers.remove(name)),
        }
    }
    if let Some(port) = told(forwarded::PORT) {
        headers.insert(forwarded::PORT, port);
    }
    headers.remove(forwarded::FOR);
    if let Some(prior) = told(forwarded::FOR) {
        headers.insert(forwarded::FOR, prior);
    }
    forwarded::append_client(&mut headers, &call.client.to_string());
    match explicit {
        None => {
            headers.entry(USER_AGENT).or_insert(HeaderValue::from_static("Go-http-client/1.1"));
        }
        Some(trust) => {
            if !trust {
                forwarded::strip_aliases(&mut headers);
                for name in [forwarded::REAL_IP, forwarded::SERVER, forwarded::PREFIX] {
                    headers.remove(name);
                }
                if let Some(port) = own(call.port(call.secure)) {
                    headers.insert(forwarded::PORT, port);
                }
            }
        }
    }
    headers.remove(HOST);
    headers
}

fn headers_where(headers: &HeaderMap, wanted: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Replaces the listed headers of the request by those of the answer; what the answer does not have is taken away.
/// The pattern is matched against canonical names, with case (`truth/traefik/3.6.7-4-options`: `regex_case`).
fn take_headers(auth: &ForwardAuth, pattern: Option<&Regex>, answer: &HeaderMap, request: &mut HeaderMap) {
    let replace = |request: &mut HeaderMap, name: &HeaderName| {
        request.remove(name);
        for value in answer.get_all(name) {
            request.append(name, value.clone());
        }
    };
    for listed in &auth.response_headers {
        if let Ok(name) = HeaderName::from_bytes(listed.as_bytes()) {
            replace(request, &name);
        }
    }
    if let Some(pattern) = pattern {
        let fits = |name: &HeaderName| pattern.is_match(&canonical_header(name.as_str()));
        let names: Vec<_> = request.keys().chain(answer.keys()).filter(|name| fits(name)).cloned().collect();
        names.iter().for_each(|name| replace(request, name));
    }
}

/// The cookies called one of `names`.
fn cookies(names: &[String], answer: &HeaderMap) -> Vec<HeaderValue> {
    answer
        .get_all(SET_COOKIE)
        .iter()
        .filter(|cookie| names.iter().any(|name| is_called(cookie, name)))
        .cloned()
        .collect()
}

/// Puts `cookies` into the answer in place of those of the same names.
pub(super) fn add_cookies(names: &[String], cookies: &[HeaderValue], answer: &mut HeaderMap) {
    if cookies.is_empty() {
        return;
    }
    let kept: Vec<_> = answer
        .get_all(SET_COOKIE)
        .iter()
        .filter(|cookie| !names.iter().any(|name| is_called(cookie, name)))
        .cloned()
        .collect();
    answer.remove(SET_COOKIE);
    for cookie in kept.iter().chain(cookies) {
        answer.append(SET_COOKIE, cookie.clone());
    }
}

fn is_called(cookie: &HeaderValue, name: &str) -> bool {
    let named = cookie.as_bytes().split(|byte| *byte == b'=').next().unwrap_or_default();
    named.trim_ascii() == name.as_bytes()
}

/// The auth server's answer as the client gets it: everything, a relative `Location` made absolute against the auth
/// server (`truth/traefik/3.6.7-3-auth-answers`: `auth_302_relative`).
fn refusal(auth: &ForwardAuth, address: &Url, response: Response<Bytes>) -> Reply {
    let (mut parts, body) = response.into_parts();
    hop::strip_auth(&mut parts.headers);
    // It stays where it is true, and so reaches whoever asked with HEAD.
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length != Some(body.len()) {
        parts.headers.remove(CONTENT_LENGTH);
    }
    if !auth.preserve_location
        && let Some(location) = parts.headers.get(LOCATION).filter(|location| !location.is_empty())
    {
        let resolved = resolve(address, &String::from_utf8_lossy(location.as_bytes()));
        match resolved.and_then(|location| HeaderValue::from_bytes(location.as_bytes()).ok()) {
            Some(location) => drop(parts.headers.insert(LOCATION, location)),
            None => return reply::plain(StatusCode::INTERNAL_SERVER_ERROR, ""),
        }
    }
    let mut refusal = reply::plain(parts.status, body);
    *refusal.headers_mut() = parts.headers;
    refusal
}
