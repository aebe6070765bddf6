//! The real Traefik with the files that are looked at, in place of the embedded gateway. Every URL in a copy of the
//! files is turned to loopback first, so that it reaches nobody else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use regex::{Captures, Regex};
use ssoproof_deployment::traefik::{EntryPoint, dynamic_files};
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::gateway::{Trusted, any_certificate};
use ssoproof_embedded::ports;
use tempfile::TempDir;
use url::Url;

use crate::doctor::subject::Subject;
use crate::stacks::{StackError, copy_of, failed, host_and_port, traefik_list};

/// The longest wait until it has read the files.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// How often another set of ports is tried.
const ATTEMPTS: usize = 3;
/// Where nobody listens: for hosts that are none of the deployment's.
const NOBODY: &str = "127.0.0.1:1";

/// Servers by `host:port`, without TLS.
pub(super) type Plain = BTreeMap<(String, u16), SocketAddr>;

/// A running Traefik. Dropping it ends the process.
pub(super) struct RealTraefik {
    child: Child,
    /// Where the plain entry point listens.
    pub(super) http: SocketAddr,
    /// Where the one with TLS listens.
    pub(super) https: SocketAddr,
    api: SocketAddr,
    _folder: TempDir,
}

impl Drop for RealTraefik {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl RealTraefik {
    /// Starts `binary` on the files of `subject`, with `servers` in place of those that the files name.
    ///
    /// # Errors
    /// [`StackError::Start`] when the files cannot be copied, or it does not answer in time.
    pub(super) async fn start(binary: &Path, subject: &Subject, servers: &Plain) -> Result<Self, StackError> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let mut started =
                Self::spawn(binary, subject, servers).map_err(|error| failed("Traefik", &error))?;
            match started.ready(subject).await {
                Ok(()) => return Ok(started),
                Err(reason) => last = Some(reason),
            }
        }
        Err(failed("Traefik", &last.unwrap_or_default()))
    }

    fn spawn(binary: &Path, subject: &Subject, servers: &Plain) -> std::io::Result<Self> {
        let folder = copy_of(&subject.folder)?;
        for path in dynamic_files(folder.path()).map_err(std::io::Error::other)? {
            let bytes = std::fs::read(&path)?;
            // What is no text Traefik refuses anyway.
            if let Ok(text) = String::from_utf8(bytes) {
                std::fs::write(&path, to_loopback(&text, servers))?;
            }
        }
        let [http, https, api] = ports::free()?;
        let entry_points = subject.routing.as_ref().map(|routing| routing.entry_points().clone());
        let [web, websecure] =
            entry_points.unwrap_or_else(|| [EntryPoint::new("web"), EntryPoint::new("websecure")]);
        let mut command = Command::new(binary);
        for (entry, address) in [(&web, http), (&websecure, https)] {
            let option = |rest: String| format!("--entryPoints.{}.{rest}", entry.name);
            command.arg(option(format!("address={address}")));
            if entry.tls {
                command.arg(option("http.tls=true".to_owned()));
            }
            if matches!(subject.static_config.as_ref().map(|fixed| fixed.trusted()), Some(Trusted::Everybody))
            {
                command.arg(option("forwardedHeaders.insecure=true".to_owned()));
            }
        }
        let child = command
            .arg(format!("--entryPoints.traefik.address={api}"))
            .arg(format!("--providers.file.directory={}", folder.path().display()))
            .args(["--providers.file.watch=false", "--api.insecure=true", "--log.level=ERROR"])
            .args(["--global.checkNewVersion=false", "--global.sendAnonymousUsage=false"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, http, https, api, _folder: folder })
    }

    /// Waits until the API has the routers of the files; where the files are bad there are none to wait for.
    async fn ready(&mut self, subject: &Subject) -> Result<(), String> {
        let tls = any_certificate().map_err(|error| error.to_string())?;
        let client = Client::new(Names::default(), tls);
        let wanted = subject.dynamic().map_or(0, |dynamic| dynamic.routers.len());
        let started = Instant::now();
        let mut last = "it was not asked".to_owned();
        while started.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it has ended with {status}"));
            }
            match self.file_routers(&client).await {
                Ok(count) if count >= wanted => return Ok(()),
                Ok(count) => last = format!("it has {count} of {wanted} routers"),
                Err(reason) => last = reason,
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(last)
    }

    /// How many routers of the file provider the API tells of.
    async fn file_routers(&self, client: &Client) -> Result<usize, String> {
        let api = Url::parse(&format!("http://{}", self.api)).map_err(|error| error.to_string())?;
        let list = traefik_list(client, &api, "routers").await.map_err(|error| error.to_string())?;
        Ok(list.iter().filter(|router| router["provider"] == "file").count())
    }
}

/// The text with every URL turned to loopback: to the server that stands for its place, or to nobody. Those of redirects
/// stay, for nobody dials them here.
fn to_loopback(text: &str, servers: &Plain) -> String {
    let urls = Regex::new("(?i)(https?|h2c)://([^/\\s\"'`,}\\]$]+)");
    let of_redirects = Regex::new("\\b(regex|replacement)[\"']?\\s*[:=]\\s*[\"']?[^\\s\"',]*$");
    let (Ok(urls), Ok(of_redirects)) = (urls, of_redirects) else { return String::new() };
    let turned = urls.replace_all(text, |found: &Captures<'_>| {
        let (start, whole) = found.get(0).map_or((0, ""), |whole| (whole.start(), whole.as_str()));
        let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
        if of_redirects.is_match(&text[line..start]) {
            return whole.to_owned();
        }
        let place = host_and_port(&whole.replacen("h2c", "http", 1));
        match place.and_then(|place| servers.get(&place)) {
            Some(address) => format!("http://{address}"),
            None => format!("http://{NOBODY}"),
        }
    });
    turned.into_owned()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn every_url_is_turned_to_loopback() {
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 7));
        let servers = Plain::from([(("docs".to_owned(), 80), at), (("authentik".to_owned(), 9000), at)]);
        for (from, to) in [
            ("url: \"http://docs:80\"", "url: \"http://127.0.0.1:7\""),
            ("url: http://docs/x", "url: http://127.0.0.1:7/x"),
            ("[{ url: http://docs:8080 }]", "[{ url: http://127.0.0.1:1 }]"),
            ("address: http://authentik:9000/outpost", "address: http://127.0.0.1:7/outpost"),
            ("address: https://auth.example.org/outpost", "address: http://127.0.0.1:1/outpost"),
            ("rule: Host(`docs`)", "rule: Host(`docs`)"),
            ("regex: ^https://a.test/(.*)", "regex: ^https://a.test/(.*)"),
            ("replacement = \"https://docs/$1\"", "replacement = \"https://docs/$1\""),
            (
                "{ regex: \"^https?://a\", replacement: 'https://docs/b' }\nurl: http://docs",
                "{ regex: \"^https?://a\", replacement: 'https://docs/b' }\nurl: http://127.0.0.1:7",
            ),
        ] {
            assert_eq!(to_loopback(from, &servers), to);
        }
    }
}
