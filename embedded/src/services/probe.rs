//! One running probe.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::arrived::{Arrived, Folds};
use super::bridge::Bridge;
use super::report::{Answer, page};
use super::wire::{Wire, WireError};
use super::{environ, folded, websocket};
use crate::listen::{self, Connection, LOOPBACK};

/// How many requests are remembered.
const REMEMBERED: usize = 1_000;

/// What a probe is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeSettings {
    /// The service's name; letters, digits, `-`, `_` and `.` go into the `X-Ssoproof-Probe` header.
    pub name: String,
    /// The bridge it has.
    pub bridge: Bridge,
    /// Whether it also reports what services see that fold names: `environ`, as WSGI, in which `_` and `-` are one, and
    /// `folded`, in which `.` is one with them too.
    pub folding: bool,
}

/// A probe. It answers every request with 200 and a report of it: JSON, or a page that holds the JSON
/// in `script#arrived` when `Accept` asks for HTML; a WebSocket gets the JSON as one text frame. Dropping it cuts
/// every connection.
pub struct Probe {
    shared: Arc<Shared>,
    address: SocketAddr,
    _stop: DropGuard,
}

struct Shared {
    settings: ProbeSettings,
    /// The services it stands for by the host asked for; `settings` is for every other host.
    by_host: BTreeMap<String, ProbeSettings>,
    /// What the bridge signs with.
    key: [u8; 32],
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    hits: u64,
    last: VecDeque<Arrived>,
}

impl Probe {
    /// Starts on a free loopback port.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start(settings: ProbeSettings) -> io::Result<Self> {
        Self::start_at(LOOPBACK, settings).await
    }

    /// Starts at `address`; port 0 means a free one.
    ///
    /// # Errors
    /// When it cannot be bound.
    pub async fn start_at(address: SocketAddr, settings: ProbeSettings) -> io::Result<Self> {
        Self::start_for(address, settings, BTreeMap::new()).await
    }

    /// Starts at `address` in place of several services: which one answers goes by the host asked for, and `settings`
    /// are for hosts that are none of `by_host` (lower case).
    ///
    /// # Errors
    /// When it cannot be bound.
    pub async fn start_for(
        address: SocketAddr,
        settings: ProbeSettings,
        by_host: BTreeMap<String, ProbeSettings>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { settings, by_host, key: rand::random(), seen: Mutex::default() });
        let stop = CancellationToken::new();
        let serving = shared.clone();
        let serve = move |stream, _| serve(stream, serving.clone());
        tokio::spawn(listen::accept(listener, stop.clone(), serve));
        Ok(Self { shared, address, _stop: stop.drop_guard() })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests reached it, refused ones not counted.
    pub fn hits(&self) -> u64 {
        self.shared.seen().hits
    }

    /// The last 1,000 requests, oldest first.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.shared.seen().last.iter().cloned().collect()
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The service that a request is for.
    fn service(&self, arrived: &Arrived) -> &ProbeSettings {
        let asked = arrived.header("host").unwrap_or_default().to_ascii_lowercase();
        let host = asked.split(':').next().unwrap_or_default().trim_end_matches('.');
        self.by_host.get(host).unwrap_or(&self.settings)
    }

    /// Takes note of a request; returns its report and the cookies to set.
    fn note(&self, service: &ProbeSettings, mut arrived: Arrived) -> (Arrived, Value, Vec<String>) {
        let now = Timestamp::now().as_second();
        let (user, cookies) = service.bridge.look(&arrived, &self.key, now);
        arrived.user = user;
        let folds =
            service.folding.then(|| Folds { environ: environ::of(&arrived), folded: folded::of(&arrived) });
        let mut seen = self.seen();
        seen.hits += 1;
        if seen.last.len() == REMEMBERED {
            seen.last.pop_front();
        }
        seen.last.push_back(arrived.clone());
        let report = arrived.report(&service.name, seen.hits, folds.as_ref());
        (arrived, report, cookies)
    }
}

impl ProbeSettings {
    /// The headers of every answer.
    fn headers(&self) -> Vec<(&'static str, String)> {
        let plain = |letter: &char| letter.is_ascii_alphanumeric() || "-_.".contains(*letter);
        vec![("X-Ssoproof-Probe", self.name.chars().filter(plain).collect())]
    }
}

/// Answers the requests of one connection until it ends.
async fn serve(stream: Connection, shared: Arc<Shared>) {
    let mut wire = Wire::new(stream);
    loop {
        match exchange(&mut wire, &shared).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let Some(status) = error.status() else { return };
                let headers = shared.settings.headers();
                let answer = Answer { status, headers, body: format!("{error}\n") };
                if wire.write(&answer.bytes(false, true)).await.is_err() {
                    return;
                }
                break;
            }
        }
    }
    wire.finish().await;
}

/// One request and its answer; returns whether another may follow.
async fn exchange(wire: &mut Wire<Connection>, shared: &Shared) -> Result<bool, WireError> {
    let head = wire.head().await?;
    let body_length = wire.body(&head).await?;
    let arrived = Arrived {
        method: head.method,
        target: head.target,
        version: head.version,
        headers: head.headers,
        body_length,
        user: None,
    };
    let service = shared.service(&arrived);
    let (arrived, report, cookies) = shared.note(service, arrived);
    let mut headers = service.headers();
    headers.push(("Set-Cookie", "backend_cookie=1; Path=/".to_owned()));
    headers.extend(cookies.into_iter().map(|cookie| ("Set-Cookie", cookie)));

    if let Some(accept) = websocket::accept(&arrived) {
        headers.extend([
            ("Upgrade", "websocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Sec-WebSocket-Accept", accept),
        ]);
        let answer = Answer { status: (101, "Switching Protocols"), headers, body: String::new() };
        let mut bytes = answer.bytes(false, false);
        bytes.extend(websocket::text_frame(&report.to_string()));
        bytes.extend(websocket::CLOSE);
        wire.write(&bytes).await?;
        return Ok(false);
    }
    let html = arrived.wants_html();
    let media = if html { "text/html; charset=utf-8" } else { "application/json" };
    headers.push(("Content-Type", media.to_owned()));
    let body = if html { page(&service.name, &report) } else { report.to_string() };
    let close = arrived.lists("connection", "close")
        || (arrived.version == 0 && !arrived.lists("connection", "keep-alive"));
    let answer = Answer { status: (200, "OK"), headers, body };
    wire.write(&answer.bytes(arrived.method == "HEAD", close)).await?;
    Ok(!close)
}
