//! Whether a gateway has loaded its files, seen from outside: on every stack alike.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http_body_util::Full;
use serde_json::json;
use ssoproof_deployment::traefik::dynamic_files;
use ssoproof_embedded::dial::Client;
use tokio::time::{Instant, MissedTickBehavior};
use url::Url;

use super::files::write_by_rename;

/// How often is looked.
const EVERY: Duration = Duration::from_millis(10);

/// What Traefik answers where no router takes a request.
const NO_ROUTER: (u16, &[u8]) = (404, b"404 page not found\n");

/// An answer as far as it is compared.
type Answer = Option<(u16, Bytes)>;

/// Puts a marker beside the files in `folder` and waits until the gateway at `url` shows it: then it has loaded what
/// they say now. Returns how long that took; none when it took longer than `limit`.
///
/// The marker's routers, on every entry point, are for a host that nobody has. With the name of that host, the gateway
/// is asked at the host of `url`, plain and with TLS; once one of them answers otherwise than before, be it with the
/// refusal of a middleware that somebody has put before everything, the marker is loaded.
///
/// # Errors
/// When the marker cannot be written.
pub(crate) async fn has_loaded(
    client: &Client,
    url: &Url,
    folder: &Path,
    limit: Duration,
) -> io::Result<Option<Duration>> {
    let began = Instant::now();
    let name = format!("ssoproof-{:016x}", rand::random::<u64>());
    let host = format!("{name}.invalid");
    let entries =
        ["http", "https"].map(|scheme| format!("{scheme}://{}/", url.host_str().unwrap_or_default()));
    let ask = async || {
        let [plain, secure] = &entries;
        tokio::join!(answer(client, plain, &host), answer(client, secure, &host))
    };
    let before = ask().await;
    let path = folder.join(format!("{name}.yml"));
    write_by_rename(&path, marker(&name, &host).as_bytes())?;
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let shown = async {
        loop {
            tick.tick().await;
            let now = ask().await;
            if is_new(&before.0, &now.0) || is_new(&before.1, &now.1) {
                return;
            }
        }
    };
    let shown = tokio::time::timeout(limit, shown).await;
    fs::remove_file(&path)?;
    Ok(shown.ok().map(|()| began.elapsed()))
}

/// Whether the marker's router has given `now`. That there is none for a moment, while files are rewritten, is nothing.
fn is_new(before: &Answer, now: &Answer) -> bool {
    let answered = now.as_ref().map(|(status, body)| (*status, body.as_ref()));
    answered.is_some_and(|answered| answered != NO_ROUTER) && now != before
}

async fn answer(client: &Client, at: &str, host: &str) -> Answer {
    let request = Request::builder().uri(at).header(HOST, host).body(Full::default()).ok()?;
    let response = client.send(request).await.ok()?;
    Some((response.status().as_u16(), response.into_body()))
}

/// The file of the marker called `name`, for `host`: JSON is YAML.
fn marker(name: &str, host: &str) -> String {
    let router =
        json!({ "rule": format!("Host(`{host}`)"), "service": "noop@internal", "priority": 1_000_000 });
    let mut secure = router.clone();
    secure["tls"] = json!({});
    let routers = json!({ format!("{name}-plain"): router, format!("{name}-tls"): secure });
    json!({ "http": { "routers": routers } }).to_string()
}

/// Waits until nothing in `folder` has changed for so long that its gateway, which holds changes back for `throttle`,
/// takes the next one at once.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) async fn settled(folder: &Path, throttle: Duration) -> io::Result<()> {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        // A change may be held back for that long, and is then the last one before the next pause.
        if since_last_change(folder)? > throttle * 2 {
            return Ok(());
        }
    }
}

/// How long ago a file of `folder` was changed, made or taken away.
fn since_last_change(folder: &Path) -> io::Result<Duration> {
    let files = dynamic_files(folder).map_err(|problem| io::Error::other(problem.to_string()))?;
    let mut last = fs::metadata(folder)?.modified()?;
    for file in files {
        // One that has just gone has changed the folder.
        if let Ok(metadata) = fs::metadata(file) {
            last = last.max(metadata.modified()?);
        }
    }
    // A clock that was set back must not keep anybody waiting.
    Ok(SystemTime::now().duration_since(last).unwrap_or(Duration::MAX))
}
