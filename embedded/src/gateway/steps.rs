//! The middlewares that ask nobody.

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use regex::Regex;
use ssoproof_deployment::traefik::RedirectScheme;

use super::call::Call;
use super::forwarded;
use super::reply::{self, Reply};

/// Sets header lines of the request; an empty value takes the line away.
pub(super) fn edit_request(edits: &[(String, String)], call: &mut Call) {
    for (name, value) in edits {
        if name.eq_ignore_ascii_case(HOST.as_str()) {
            call.host.clone_from(value);
        }
    }
    edit(edits, &mut call.headers);
    call.headers.remove(HOST);
}

/// Sets header lines; an empty value takes the line away.
pub(super) fn edit(edits: &[(String, String)], headers: &mut HeaderMap) {
    for (name, value) in edits {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        if value.is_empty() {
            headers.remove(name);
        } else if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(name, value);
        }
    }
}

/// The redirect to another scheme; none when the request has it, and the port, already.
pub(super) fn redirect_scheme(redirect: &RedirectScheme, call: &Call) -> Option<Reply> {
    let told = call.headers.get(forwarded::PROTO).map(HeaderValue::as_bytes);
    let now = RedirectScheme::seen(told, call.secure);
    let default = if redirect.scheme == "https" { "443" } else { "80" };
    let port = match redirect.port.as_str() {
        "" => String::new(),
        port if port == default => String::new(),
        port => format!(":{port}"),
    };
    let target = format!("{}://{}{port}{}", redirect.scheme, host_name(&call.host), call.uri());
    let same =
        now == redirect.scheme && (redirect.port.is_empty() || call.port(now == "https") == redirect.port);
    (!same).then(|| reply::redirect(call.method == http::Method::GET, redirect.permanent, &target))
}

/// The redirect to the rewritten URL; none when the pattern changes nothing.
pub(super) fn redirect_regex(
    regex: &Regex,
    replacement: &str,
    permanent: bool,
    call: &Call,
) -> Option<Reply> {
    let scheme = if call.secure { "https" } else { "http" };
    let url = format!("{scheme}://{}{}", call.host, call.uri());
    if !regex.is_match(&url) {
        return None;
    }
    let target = regex.replace_all(&url, replacement);
    (target != url).then(|| reply::redirect(call.method == http::Method::GET, permanent, &target))
}

/// Takes the first of `prefixes` that fits off the path and tells the backend which.
pub(super) fn strip_prefix(prefixes: &[String], call: &mut Call) {
    let Some(prefix) = prefixes.iter().find(|prefix| call.path.starts_with(prefix.as_str())) else { return };
    call.path = with_slash(&call.path[prefix.len()..]);
    if let Ok(value) = HeaderValue::from_bytes(prefix.as_bytes()) {
        call.headers.append(forwarded::PREFIX, value);
    }
}

/// Puts `prefix` before the path.
pub(super) fn add_prefix(prefix: &str, call: &mut Call) {
    call.path = with_slash(&format!("{prefix}{}", call.path));
}

/// Sets the path and tells the backend the old one.
pub(super) fn replace_path(path: &str, call: &mut Call) {
    let old = std::mem::replace(&mut call.path, with_slash(path));
    call.set("x-replaced-path", &old);
}

/// Rewrites the path where the pattern fits.
pub(super) fn replace_path_regex(regex: &Regex, replacement: &str, call: &mut Call) {
    if regex.is_match(&call.path) {
        let path = regex.replace_all(&call.path, replacement).into_owned();
        replace_path(&path, call);
    }
}

fn with_slash(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// A host without its port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}
