//! One running service.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::arrived::Arrived;
use super::bridge::{Bridge, Key};
use super::read::{self, Unread};
use super::report;
use crate::logs::Logs;

/// How many requests are remembered.
const REMEMBERED: usize = 200;

/// How a service starts.
#[derive(Clone)]
pub struct Settings {
    /// What it is called.
    pub name: String,
    /// The bridge in it, when it has one.
    pub bridge: Option<Bridge>,
    /// Whether it also reports what a server makes of the headers that folds `_` and `-`.
    pub folding: bool,
    /// Where its log goes.
    pub logs: Logs,
}

/// A service on loopback, plain HTTP. Dropping it closes every connection.
pub struct Probe {
    shared: Arc<Shared>,
    address: SocketAddr,
    _stop: DropGuard,
}

struct Shared {
    settings: Settings,
    key: Key,
    arrived: Mutex<(u64, VecDeque<Arrived>)>,
}

impl Probe {
    /// Starts listening.
    ///
    /// # Errors
    /// When no loopback port can be bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { settings, key: rand::random(), arrived: Mutex::default() });
        let stop = CancellationToken::new();
        tokio::spawn(listen(listener, shared.clone(), stop.clone()));
        Ok(Self { shared, address, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests have reached it.
    pub fn hits(&self) -> u64 {
        self.shared.arrived.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).0
    }

    /// The last 200 requests that reached it, oldest first.
    pub fn arrived(&self) -> Vec<Arrived> {
        let arrived = self.shared.arrived.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        arrived.1.iter().cloned().collect()
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (shared, stop) = (shared.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                // A broken connection concerns its client alone.
                _ = serve(stream, &shared) => {}
            }
        });
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    loop {
        let arrived = match read::next(&mut stream, &mut buffer).await {
            Ok(arrived) => arrived,
            Err(Unread::Closed) => return Ok(()),
            Err(Unread::Malformed) => return stream.write_all(&report::refusal("400 Bad Request")).await,
            Err(Unread::TooLong) => return stream.write_all(&report::refusal("413 Content Too Large")).await,
        };
        shared.remember(&arrived);
        stream.write_all(&report::answer(&shared.settings, &shared.key, &arrived)).await?;
        let close = arrived.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if close || arrived.version == 0 || report::is_websocket(&arrived) {
            return stream.shutdown().await;
        }
    }
}

impl Shared {
    fn remember(&self, arrived: &Arrived) {
        self.settings
            .logs
            .write("services", format!("{}: {} {}", self.settings.name, arrived.method, arrived.target));
        let mut kept = self.arrived.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        kept.0 += 1;
        if kept.1.len() == REMEMBERED {
            kept.1.pop_front();
        }
        kept.1.push_back(arrived.clone());
    }
}
