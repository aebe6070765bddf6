//! What wires do, in the words that rows of the catalogue use.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use http::{Request, Response, StatusCode, request};
use serde_json::Value;
use ssoproof_deployment::{Deployment, Service};
use url::Url;

/// The question of a gateway whether a request may pass.
pub(super) const AUTH: &str = "/outpost.goauthentik.io/auth/";
/// The way back from the authorize endpoint.
pub(super) const CALLBACK: &str = "/outpost.goauthentik.io/callback";
/// The beginning of a login.
pub(super) const START: &str = "/outpost.goauthentik.io/start";
/// The outpost's sign-out.
pub(super) const SIGN_OUT: &str = "/outpost.goauthentik.io/sign_out";
/// Where clients redeem codes.
pub(super) const TOKEN: &str = "/application/o/token/";
/// Where they ask who somebody is.
pub(super) const USERINFO: &str = "/application/o/userinfo/";
/// Where browsers are sent to sign in.
pub(super) const AUTHORIZE: &str = "/application/o/authorize/";

/// What the names of the outpost's cookies begin with.
pub(super) const PROXY_COOKIE: &str = "authentik_proxy_";
/// The cookie of a session at the core.
pub(super) const CORE_COOKIE: &str = "authentik_session";

/// Whether the path asked for begins with `path`.
pub(super) fn at(asked: &request::Parts, path: &str) -> bool {
    asked.uri.path().starts_with(path)
}

/// An answer without a body.
pub(super) fn status(code: StatusCode) -> Response<Bytes> {
    said(code, "")
}

/// An answer with a text.
pub(super) fn said(code: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A redirect to `place`.
pub(super) fn redirect(place: &str) -> Response<Bytes> {
    let mut response = status(StatusCode::FOUND);
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

/// The value of the cookie that the request carries whose name begins with `name`.
pub(super) fn cookie_sent<'r>(request: &'r Request<Bytes>, name: &str) -> Option<&'r str> {
    let lines = request.headers().get_all(http::header::COOKIE).iter();
    let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(of, _)| of.starts_with(name))
        .map(|(_, value)| value)
}

/// Takes the cookies whose names begin with `name` off the request.
pub(super) fn without_cookie(request: &mut Request<Bytes>, name: &str) {
    let Some(line) = request.headers().get(http::header::COOKIE).and_then(|line| line.to_str().ok()) else {
        return;
    };
    let kept: Vec<&str> = line.split(';').map(str::trim).filter(|pair| !pair.starts_with(name)).collect();
    if kept.is_empty() {
        request.headers_mut().remove(http::header::COOKIE);
    } else if let Ok(line) = HeaderValue::from_str(&kept.join("; ")) {
        request.headers_mut().insert(http::header::COOKIE, line);
    }
}

/// Changes every `Set-Cookie` whose name begins with `name`; an empty text drops it.
pub(super) fn set_cookies(response: &mut Response<Bytes>, name: &str, change: impl Fn(&str) -> String) {
    let lines: Vec<HeaderValue> = response.headers().get_all(SET_COOKIE).iter().cloned().collect();
    response.headers_mut().remove(SET_COOKIE);
    for line in lines {
        let changed = match line.to_str() {
            Ok(text) if text.starts_with(name) => HeaderValue::from_str(&change(text)).unwrap_or(line),
            _ => line,
        };
        if !changed.is_empty() {
            response.headers_mut().append(SET_COOKIE, changed);
        }
    }
}

/// Changes the place the answer sends the browser to.
pub(super) fn location(response: &mut Response<Bytes>, change: impl Fn(&str) -> Option<String>) {
    let Some(place) = response.headers().get(LOCATION).and_then(|place| place.to_str().ok()) else { return };
    if let Some(changed) = change(place).and_then(|changed| HeaderValue::from_str(&changed).ok()) {
        response.headers_mut().insert(LOCATION, changed);
    }
}

/// Changes one parameter of the place the answer sends the browser to; without a value it is gone.
pub(super) fn location_parameter(
    response: &mut Response<Bytes>,
    name: &str,
    change: impl Fn(&str) -> Option<String>,
) {
    location(response, |place| {
        let mut url = Url::parse(place).ok()?;
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.query_pairs_mut().clear();
        for (key, value) in pairs {
            match (key == name, change(&value)) {
                (true, Some(changed)) => drop(url.query_pairs_mut().append_pair(&key, &changed)),
                (true, None) => {}
                (false, _) => drop(url.query_pairs_mut().append_pair(&key, &value)),
            }
        }
        Some(url.into())
    });
}

/// Changes the header `name`, where there is one.
pub(super) fn header(
    response: &mut Response<Bytes>,
    name: &'static str,
    change: impl Fn(&[u8]) -> Option<Vec<u8>>,
) {
    let name = HeaderName::from_static(name);
    let Some(value) = response.headers().get(&name) else { return };
    match change(value.as_bytes()).map(|value| HeaderValue::from_bytes(&value)) {
        Some(Ok(value)) => drop(response.headers_mut().insert(name, value)),
        Some(Err(_)) => {}
        None => drop(response.headers_mut().remove(name)),
    }
}

/// Changes a JSON body.
pub(super) fn json(response: &mut Response<Bytes>, change: impl FnOnce(&mut Value)) {
    if let Ok(mut value) = serde_json::from_slice(response.body()) {
        change(&mut value);
        *response.body_mut() = value.to_string().into();
    }
}

/// The service that a fault of one service is about: the first behind the outpost, with its application's slug.
pub(super) fn victim(deployment: &Deployment) -> Option<(&str, &Service)> {
    deployment
        .services
        .iter()
        .find(|(_, service)| service.in_outpost)
        .map(|(slug, service)| (deployment.application_of(slug, service), service))
}

/// The host of a URL.
pub(super) fn host_of(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.host_str()?.to_owned())
}
