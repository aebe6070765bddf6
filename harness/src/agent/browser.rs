//! The agent itself, and one exchange.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, COOKIE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::Full;
use ssoproof_embedded::dial::Client;
use url::Url;

use super::jar::{Jar, RequestContext, StoredCookie};
use super::outgoing::{Mode, Outgoing, host_of};
use crate::evidence::{
    Cause, ExchangeError, ExchangeErrorKind, Hop, JarChange, Ledger, RequestRecord, ResponseRecord,
};

/// The `User-Agent` unless another is set; the same that the recordings in the truth were made with.
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// The `User-Agent` of what is no browser: MinIO sends whatever looks like one to its console.
const PROGRAM: &str = concat!("ssoproof/", env!("CARGO_PKG_VERSION"));

/// What bounds an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most hops of one navigation.
    pub max_hops: usize,
    /// The longest body read, in bytes.
    pub max_body: usize,
    /// The longest time one exchange may take.
    pub timeout: Duration,
}

impl Default for Limits {
    /// 30 hops, 8 MiB, 30 s.
    fn default() -> Self {
        Self { max_hops: 30, max_body: 8 << 20, timeout: Duration::from_secs(30) }
    }
}

/// One actor at one browser: a name, a cookie jar, and a way to dial.
#[derive(Clone)]
pub struct Agent {
    /// The actor's name, as it stands in the ledger.
    pub name: String,
    /// The cookies.
    pub jar: Jar,
    /// The `User-Agent` sent.
    pub user_agent: String,
    /// A URL whose origin and path no redirect is followed to: where a relying party of the harness's own takes
    /// the code.
    pub stop_at: Option<Url>,
    pub(super) client: Client,
    pub(super) limits: Limits,
}

impl Agent {
    /// An agent with an empty jar.
    pub fn new(name: impl Into<String>, client: Client, limits: Limits) -> Self {
        Self {
            name: name.into(),
            jar: Jar::new(),
            user_agent: FIREFOX.to_owned(),
            stop_at: None,
            client: client.with_bounds(limits.max_body, limits.timeout),
            limits,
        }
    }

    /// A program instead of a browser: a relying party's backend, a storage client.
    pub fn program(name: impl Into<String>, client: Client) -> Self {
        Self { user_agent: PROGRAM.to_owned(), ..Self::new(name, client, Limits::default()) }
    }

    /// The client that this agent dials with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The agent's limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Everything in the jar, oldest first.
    pub fn cookies(&self) -> Vec<StoredCookie> {
        self.jar.cookies()
    }

    /// Empties the jar, as a fresh browser profile.
    pub fn clear(&mut self) {
        self.jar.clear();
    }

    /// A copy of the jar, to put back later with [`Self::restore`].
    pub fn snapshot(&self) -> Jar {
        self.jar.clone()
    }

    /// Puts a jar back.
    pub fn restore(&mut self, jar: Jar) {
        self.jar = jar;
    }

    /// One exchange: sends the jar's cookies, takes `Set-Cookie`, follows nothing. Returns the hop's index; a
    /// failure is the hop's outcome.
    pub async fn exchange(&mut self, request: Outgoing, cause: Cause, ledger: &mut Ledger) -> usize {
        let mut jar = self.jar.expire();
        let (record, outcome, took) = self.send(&request).await;
        if let Ok(response) = &outcome
            && request.mode != Mode::Api
        {
            jar.extend(self.take_cookies(&context(&request), response));
        }
        ledger.push(Hop { index: 0, cause, actor: self.name.clone(), request: record, outcome, jar, took })
    }

    /// Takes every `Set-Cookie` line of a response into the jar.
    pub(super) fn take_cookies(
        &mut self,
        request: &RequestContext<'_>,
        response: &ResponseRecord,
    ) -> Vec<JarChange> {
        response.header_values("set-cookie").filter_map(|line| self.jar.take(line, request)).collect()
    }

    async fn send(
        &self,
        outgoing: &Outgoing,
    ) -> (RequestRecord, Result<ResponseRecord, ExchangeError>, Duration) {
        let headers = self.headers(outgoing);
        let record = RequestRecord {
            method: outgoing.method.to_string(),
            url: outgoing.url.clone(),
            target: None,
            headers: headers
                .iter()
                .map(|(name, value)| (title_case(name.as_str()), value.as_bytes().to_vec()))
                .collect(),
            body: outgoing.body.to_vec(),
        };
        let started = Instant::now();
        let outcome = match build(outgoing, headers) {
            Ok(request) => self.client.send(request).await.map(record_response).map_err(ExchangeError::from),
            Err(error) => Err(error),
        };
        (record, outcome, started.elapsed())
    }

    /// The header lines in the order a browser sends them: the agent's own, then cookies. Cookies of the caller
    /// come after the jar's, in one line.
    fn headers(&self, outgoing: &Outgoing) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut given = outgoing.clone();
        given.add_browser_headers();
        if let Ok(host) = HeaderValue::from_str(&host_of(&outgoing.url)) {
            headers.insert(HOST, host);
        }
        if let Ok(agent) = HeaderValue::from_str(&self.user_agent) {
            headers.insert(USER_AGENT, agent);
        }
        for name in given.headers.keys().filter(|name| **name != COOKIE) {
            headers.remove(name);
            for value in given.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        if !outgoing.body.is_empty() || matches!(outgoing.method, Method::POST | Method::PUT | Method::PATCH)
        {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(outgoing.body.len()));
        }
        let own = (outgoing.mode != Mode::Api).then(|| self.jar.header(&context(outgoing))).flatten();
        let mut cookies = own.map(String::into_bytes).unwrap_or_default();
        for value in given.headers.get_all(COOKIE) {
            if !cookies.is_empty() {
                cookies.extend_from_slice(b"; ");
            }
            cookies.extend_from_slice(value.as_bytes());
        }
        if !cookies.is_empty()
            && let Ok(value) = HeaderValue::from_bytes(&cookies)
        {
            headers.insert(COOKIE, value);
        }
        headers
    }
}

fn context(request: &Outgoing) -> RequestContext<'_> {
    RequestContext {
        url: &request.url,
        initiator: request.initiator.as_ref(),
        mode: request.mode,
        safe_method: matches!(request.method, Method::GET | Method::HEAD),
    }
}

/// The URL without what never goes on the wire.
pub(super) fn wire_uri(url: &Url) -> Result<http::Uri, ExchangeError> {
    let invalid = |reason: String| {
        ExchangeError::new(ExchangeErrorKind::InvalidRequest, format!("cannot send `{url}`: {reason}"))
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid(format!("scheme `{}` is not http", url.scheme())));
    }
    let text = format!("{}://{}{}", url.scheme(), host_of(url), super::outgoing::target_of(url));
    text.parse().map_err(|error: http::uri::InvalidUri| invalid(error.to_string()))
}

fn build(outgoing: &Outgoing, headers: HeaderMap) -> Result<Request<Full<Bytes>>, ExchangeError> {
    let mut request = Request::new(Full::new(outgoing.body.clone()));
    *request.method_mut() = outgoing.method.clone();
    *request.uri_mut() = wire_uri(&outgoing.url)?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn record_response(response: http::Response<Bytes>) -> ResponseRecord {
    let (parts, body) = response.into_parts();
    let lines = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()));
    ResponseRecord { status: parts.status.as_u16(), headers: lines.collect(), body, body_cut: false }
}

/// The name as the client puts it on the wire.
fn title_case(name: &str) -> Vec<u8> {
    let mut start = true;
    name.bytes()
        .map(|byte| {
            let out = if start { byte.to_ascii_uppercase() } else { byte };
            start = byte == b'-';
            out
        })
        .collect()
}
