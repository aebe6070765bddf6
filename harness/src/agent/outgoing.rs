//! What an agent is asked to send.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, ORIGIN, REFERER};
use http::{HeaderMap, HeaderValue, Method};
use url::Url;

/// What kind of request it is for the cookie rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A top-level navigation: the address bar will show it.
    Navigation,
    /// A request of a page's script or a subresource.
    Fetch,
    /// A program's call: no browser, no cookie.
    Api,
}

/// One request, before the agent adds `Host`, `User-Agent` and cookies.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// The absolute URL, http or https.
    pub url: Url,
    /// Headers of the caller; they win over the agent's own.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// What kind of request it is.
    pub mode: Mode,
    /// The page that asked for it; `None` when a person typed the address.
    pub initiator: Option<Url>,
}

impl Outgoing {
    /// A top-level GET as from the address bar.
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            mode: Mode::Navigation,
            initiator: None,
        }
    }

    /// A top-level form POST (`application/x-www-form-urlencoded`) from the page `initiator`.
    pub fn post_form<'a>(
        url: Url,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
        initiator: Option<Url>,
    ) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Self { method: Method::POST, body: body.into(), initiator, ..Self::get(url) };
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(CONTENT_TYPE, form);
        request
    }

    /// A request of the script of the page `initiator`.
    pub fn fetch(method: Method, url: Url, initiator: Url) -> Self {
        Self { method, mode: Mode::Fetch, initiator: Some(initiator), ..Self::get(url) }
    }

    /// A program's call: no browser headers and no cookies.
    pub fn api(method: Method, url: Url) -> Self {
        Self { method, mode: Mode::Api, ..Self::get(url) }
    }

    /// The same request with one more header; the value's bytes are kept.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The same request with a JSON body.
    #[must_use]
    pub fn json(mut self, value: &serde_json::Value) -> Self {
        self.body = value.to_string().into();
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    /// Adds what a browser sends by itself, wherever the caller said nothing.
    pub(super) fn add_browser_headers(&mut self) {
        let accept = match self.mode {
            Mode::Navigation => "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            Mode::Fetch => "*/*",
            Mode::Api => "application/json",
        };
        self.headers.entry(ACCEPT).or_insert(HeaderValue::from_static(accept));
        if self.mode == Mode::Api {
            return;
        }
        let Some(initiator) = &self.initiator else { return };
        let unsafe_method = !matches!(self.method, Method::GET | Method::HEAD);
        if unsafe_method && let Ok(origin) = HeaderValue::from_str(&initiator.origin().ascii_serialization())
        {
            self.headers.entry(ORIGIN).or_insert(origin);
        }
        if let Some(referer) = referer(initiator, &self.url) {
            self.headers.entry(REFERER).or_insert(referer);
        }
    }
}

/// `Referer` under the browsers' default policy, strict-origin-when-cross-origin.
fn referer(from: &Url, to: &Url) -> Option<HeaderValue> {
    if from.scheme() == "https" && to.scheme() != "https" {
        return None;
    }
    let text = if from.origin() == to.origin() {
        let mut whole = from.clone();
        whole.set_fragment(None);
        let _ = whole.set_username("");
        let _ = whole.set_password(None);
        whole.to_string()
    } else {
        format!("{}/", from.origin().ascii_serialization())
    };
    HeaderValue::from_str(&text).ok()
}

/// A request written by hand, byte for byte, over a connection of its own.
#[derive(Debug, Clone)]
pub struct RawRequest {
    /// Where to dial, and whether with TLS; also the request target and `Host` unless given.
    pub url: Url,
    /// The request target as it stands in the request line; the URL's path and query when `None`.
    pub target: Option<String>,
    /// The method as it stands in the request line.
    pub method: String,
    /// The header lines in this order and case. `Content-Length` is added only when there is a body and
    /// neither it nor `Transfer-Encoding` is given; `Connection: close` only when `Connection` is not given.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether to leave out the `Host` line that is otherwise added when absent.
    pub suppress_host: bool,
    /// The bytes after the header.
    pub body: Vec<u8>,
    /// Whether the jar's cookies for the URL are added, as a same-site navigation sends them.
    pub with_cookies: bool,
}

impl RawRequest {
    /// A request without header lines, body or cookies.
    pub fn new(method: impl Into<String>, url: Url) -> Self {
        Self {
            url,
            target: None,
            method: method.into(),
            headers: Vec::new(),
            suppress_host: false,
            body: Vec::new(),
            with_cookies: false,
        }
    }

    /// The same request with one more header line.
    #[must_use]
    pub fn header(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// The `Host` value of a URL: the port only when it is not the scheme's own.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The origin-form target of a URL: path and query.
pub(super) fn target_of(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn referer_keeps_the_path_within_an_origin_only() {
        let page = url("https://auth.spacemusic.tv/if/flow/x/?next=%2F#top");
        assert_eq!(
            referer(&page, &url("https://auth.spacemusic.tv/api/")).unwrap(),
            "https://auth.spacemusic.tv/if/flow/x/?next=%2F"
        );
        assert_eq!(
            referer(&page, &url("https://stream.spacemusic.tv/")).unwrap(),
            "https://auth.spacemusic.tv/"
        );
        assert_eq!(referer(&page, &url("http://stream.spacemusic.tv/")), None);
    }

    #[test]
    fn a_typed_address_has_no_origin_and_no_referer() {
        let mut request = Outgoing::get(url("https://a.test/"));
        request.add_browser_headers();
        assert_eq!(request.headers.len(), 1);
    }

    #[test]
    fn forms_are_encoded_and_name_their_origin() {
        let mut request = Outgoing::post_form(
            url("https://a.test/login"),
            [("user", "a b"), ("x", "ö")],
            Some(url("https://a.test/")),
        );
        request.add_browser_headers();
        assert_eq!(request.body, "user=a+b&x=%C3%B6");
        assert_eq!(request.headers[ORIGIN], "https://a.test");
    }

    #[test]
    fn host_names_only_an_unusual_port() {
        assert_eq!(host_of(&url("https://a.test:443/")), "a.test");
        assert_eq!(host_of(&url("http://[::1]:8080/")), "[::1]:8080");
        assert_eq!(target_of(&url("https://a.test/p%20q?x#y")), "/p%20q?x");
    }
}
