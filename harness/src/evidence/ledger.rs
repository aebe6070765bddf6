//! The ledger: every exchange of a step, with what it did to the cookie jar.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use ssoproof_embedded::dial::DialError;
use url::Url;

use super::Backends;

/// Header lines as they were on the wire: order, case, bytes and repeats kept.
pub type HeaderLines = Vec<(Vec<u8>, Vec<u8>)>;

/// The hops of a step in the order they were made.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// The hops, in the order of their `index`; it is a hop's place here, unless some are left out.
    pub hops: Vec<Hop>,
    /// The hop where a check failed or a loop closed.
    pub turning: Option<usize>,
    /// How the services tell what reached them.
    pub backends: Arc<Backends>,
    /// From which hop on the scenario itself lets a fault be there, or lets it go.
    pub switched: Vec<(usize, bool)>,
}

impl Ledger {
    /// The hop at `index`.
    pub fn hop(&self, index: usize) -> Option<&Hop> {
        let place = self.hops.binary_search_by_key(&index, |hop| hop.index).ok()?;
        self.hops.get(place)
    }

    /// The response of the hop at `index`, when there was one.
    pub fn response(&self, index: usize) -> Option<&ResponseRecord> {
        self.hop(index)?.response()
    }

    /// The same without the hops made while the scenario itself let a fault be there: what they show is no surprise.
    pub fn unprovoked(&self) -> Cow<'_, Self> {
        if self.switched.is_empty() {
            return Cow::Borrowed(self);
        }
        let provoked = |hop: &Hop| {
            let before = self.switched.iter().rev().find(|(from, _)| *from <= hop.index);
            before.is_some_and(|(_, there)| *there)
        };
        let hops = self.hops.iter().filter(|hop| !provoked(hop)).cloned().collect();
        Cow::Owned(Self { hops, ..self.clone() })
    }

    /// The hop made last.
    pub fn last(&self) -> Option<&Hop> {
        self.hops.last()
    }

    /// What a service says reached it, when `hop` is an answer of one.
    pub fn arrived(&self, hop: &Hop) -> Option<Value> {
        self.backends.arrived(hop)
    }

    /// The hops of one actor, in order.
    pub fn of_actor<'a>(&'a self, actor: &'a str) -> impl Iterator<Item = &'a Hop> {
        self.hops.iter().filter(move |hop| hop.actor == actor)
    }

    /// Adds a hop, numbers it, and returns its index.
    pub fn push(&mut self, mut hop: Hop) -> usize {
        let index = self.hops.len();
        hop.index = index;
        self.hops.push(hop);
        index
    }
}

/// Why a hop was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// An actor asked for it: an address typed, a link followed.
    Start,
    /// The response before it had this redirect status.
    Redirect(u16),
    /// The page before it asked for it by `<meta http-equiv=refresh>` or a `Refresh` header.
    MetaRefresh,
    /// A form was submitted.
    Form,
    /// The script of an Authentik flow page talked to the flow executor.
    FlowExecutor,
    /// Hand-written bytes.
    Raw,
    /// A program's call, not a browser's.
    Api,
    /// The script of a page navigated, as `xak-flow-redirect` does.
    Script,
    /// One of many requests of strangers, of which few are kept: which ones is a matter of chance.
    Load,
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => out.write_str("start"),
            Self::Redirect(status) => write!(out, "redirect {status}"),
            Self::MetaRefresh => out.write_str("meta refresh"),
            Self::Form => out.write_str("form"),
            Self::FlowExecutor => out.write_str("flow executor"),
            Self::Raw => out.write_str("raw"),
            Self::Api => out.write_str("api"),
            Self::Script => out.write_str("script"),
            Self::Load => out.write_str("load"),
        }
    }
}

/// One HTTP exchange.
#[derive(Debug, Clone)]
pub struct Hop {
    /// Its place in the ledger, from 0.
    pub index: usize,
    /// Why it was made.
    pub cause: Cause,
    /// Who made it.
    pub actor: String,
    /// What was sent.
    pub request: RequestRecord,
    /// What came back, or why nothing did.
    pub outcome: Result<ResponseRecord, ExchangeError>,
    /// What it did to the actor's cookie jar, in the order of the `Set-Cookie` lines.
    pub jar: Vec<JarChange>,
    /// From the first byte sent to the last byte read.
    pub took: Duration,
}

impl Hop {
    /// The number that people see.
    pub fn number(&self) -> usize {
        self.index + 1
    }

    /// The response, when there was one.
    pub fn response(&self) -> Option<&ResponseRecord> {
        self.outcome.as_ref().ok()
    }

    /// The response's status, when there was one.
    pub fn status(&self) -> Option<u16> {
        self.response().map(|response| response.status)
    }

    /// Where a redirect answer points, resolved against the request; `None` when it is no redirect or its
    /// `Location` is missing or broken.
    pub fn redirect_target(&self) -> Option<Url> {
        let response = self.response()?;
        matches!(response.status, 301 | 302 | 303 | 307 | 308)
            .then(|| response.location())
            .flatten()
            .and_then(|location| self.request.url.join(location).ok())
    }
}

/// A request as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The method, in the case it was sent.
    pub method: String,
    /// The URL asked for, fragment included although it is never sent.
    pub url: Url,
    /// The request target, when it was not the URL's path and query.
    pub target: Option<String>,
    /// The header lines sent.
    pub headers: HeaderLines,
    /// The body sent.
    pub body: Vec<u8>,
}

impl RequestRecord {
    /// The first header of this name (any case) that is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The `name=value` pairs of the `Cookie` lines, in the order sent.
    pub fn cookies(&self) -> Vec<(&str, &str)> {
        header_values(&self.headers, "cookie")
            .filter_map(|value| std::str::from_utf8(value).ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .collect()
    }
}

/// The first value of the query parameter `name` of `url`, decoded.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Whether a request with this method only reads, so that a stack that is only read may get it.
pub fn only_reads(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// A response as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseRecord {
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub headers: HeaderLines,
    /// The body, decoded from any transfer coding.
    pub body: Bytes,
    /// Whether the body was longer than the agent reads, so that `body` is only its beginning.
    pub body_cut: bool,
}

impl ResponseRecord {
    /// The first header of this name (any case) that is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Every value of this header (any case), in order.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        header_values(&self.headers, name)
    }

    /// The `Location` header.
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// The media type in lower case without parameters, `text/html` for example.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `None` when it is not.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

fn header<'a>(lines: &'a HeaderLines, name: &str) -> Option<&'a str> {
    lines
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
        .find_map(|(_, value)| std::str::from_utf8(value).ok())
}

fn header_values<'a>(lines: &'a HeaderLines, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    lines
        .iter()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| value.as_slice())
}

/// Why an exchange gave no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ExchangeError {
    /// What went wrong, for programs.
    pub kind: ExchangeErrorKind,
    /// What went wrong, for people.
    pub text: String,
}

/// What went wrong in an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExchangeErrorKind {
    /// The request cannot be written as HTTP.
    InvalidRequest,
    /// The host is in no stack.
    UnknownHost,
    /// The connection did not stand.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The peer broke HTTP or closed early.
    Broken,
    /// The body is longer than the agent reads.
    BodyTooLong,
    /// No whole response in time.
    TimedOut,
}

impl ExchangeError {
    /// An error of `kind` with the words `text`.
    pub fn new(kind: ExchangeErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl From<DialError> for ExchangeError {
    fn from(error: DialError) -> Self {
        let kind = match &error {
            DialError::UnknownHost { .. } => ExchangeErrorKind::UnknownHost,
            DialError::Connect { .. } => ExchangeErrorKind::Connect,
            DialError::Tls { .. } => ExchangeErrorKind::Tls,
            DialError::Exchange { .. } => ExchangeErrorKind::Broken,
            DialError::BodyTooLong { .. } => ExchangeErrorKind::BodyTooLong,
            DialError::TimedOut { .. } => ExchangeErrorKind::TimedOut,
        };
        Self { kind, text: error.to_string() }
    }
}

/// What one `Set-Cookie` line, or the clock, did to a jar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JarChange {
    /// What happened.
    pub kind: ChangeKind,
    /// The cookie's name; empty when the line had none.
    pub name: String,
    /// The value of the line; empty for a removal that gave none.
    pub value: String,
    /// The attributes as the jar understood them.
    pub attributes: CookieAttributes,
}

/// What happened to a cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there and now is.
    Set,
    /// It was there with the same name, domain and path; `value_changed` says whether its value differs.
    Replaced {
        /// Whether the new value differs from the old one.
        value_changed: bool,
    },
    /// It was there and is gone: deleted by an expired line, or its time was over.
    Removed,
    /// The line was not taken, for this reason.
    Rejected {
        /// The rule that refused it.
        reason: String,
    },
}

/// A cookie's attributes, after defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieAttributes {
    /// The host, or the `Domain` attribute without a leading dot.
    pub domain: String,
    /// Whether only that very host gets it: no `Domain` attribute was given.
    pub host_only: bool,
    /// The `Path` attribute or the default path.
    pub path: String,
    /// Sent over https only.
    pub secure: bool,
    /// Out of reach for scripts.
    pub http_only: bool,
    /// The `SameSite` attribute; `None` when absent or unknown.
    pub same_site: Option<SameSite>,
    /// The `Max-Age` attribute, in seconds; negative values read as 0.
    pub max_age: Option<i64>,
    /// The `Expires` attribute, in seconds since 1970.
    pub expires: Option<i64>,
}

/// The `SameSite` attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// Never sent with cross-site requests.
    Strict,
    /// Sent with cross-site top-level GET navigations only.
    Lax,
    /// Sent always, which asks for `Secure`.
    None,
}

impl fmt::Display for SameSite {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)]) -> ResponseRecord {
        let headers =
            headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        ResponseRecord { status, headers: headers.collect(), body: Bytes::new(), body_cut: false }
    }

    fn hop(url: &str, response: ResponseRecord) -> Hop {
        Hop {
            index: 9,
            cause: Cause::Start,
            actor: "alice".into(),
            request: RequestRecord {
                method: "GET".into(),
                url: Url::parse(url).unwrap(),
                target: None,
                headers: vec![(b"cookie".to_vec(), b"a=1; b=x=y".to_vec())],
                body: vec![],
            },
            outcome: Ok(response),
            jar: vec![],
            took: Duration::ZERO,
        }
    }

    #[test]
    fn relative_location_resolves_against_the_request() {
        let hop = hop(
            "https://auth.spacemusic.tv/application/o/x",
            response(302, &[("LOCATION", "/if/flow/a/?q=1")]),
        );
        assert_eq!(hop.redirect_target().unwrap().as_str(), "https://auth.spacemusic.tv/if/flow/a/?q=1");
    }

    #[test]
    fn location_of_a_200_is_no_redirect() {
        assert_eq!(hop("https://a.test/", response(200, &[("Location", "/x")])).redirect_target(), None);
    }

    #[test]
    fn pushing_numbers_the_hops() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.push(hop("https://a.test/", response(200, &[]))), 0);
        assert_eq!(ledger.push(hop("https://a.test/", response(200, &[]))), 1);
        assert_eq!(ledger.last().unwrap().index, 1);
    }

    #[test]
    fn cookie_values_may_hold_equals_signs() {
        assert_eq!(hop("https://a.test/", response(200, &[])).request.cookies(), [("a", "1"), ("b", "x=y")]);
    }
}
