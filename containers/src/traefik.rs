//! Traefik, with the deployment's dynamic files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use ssoproof_deployment::EntryPoints;

use crate::component::{Component, Recipe};
use crate::docker::Error;
use crate::lab::Lab;
use crate::ready::{LIMIT, client, get, ready};

const HTTP: u16 = 80;
const HTTPS: u16 = 443;
const API: u16 = 8080;
/// How often free ports are looked for.
const TRIES: usize = 5;
/// The folder of the file provider in the container.
const DYNAMIC: &str = "/etc/traefik/dynamic";
/// The folder in it that holds what the stack adds: certificates, and the router that shows when files are loaded.
const OWN: &str = "ssoproof";
const OWN_MOUNT: &str = "/etc/traefik/dynamic/ssoproof";
/// A host that nobody has; its router answers 418 once the files are loaded.
const SENTINEL: &str = "ready.ssoproof.invalid";

/// How a Traefik starts.
pub struct TraefikSettings<'a> {
    /// The image.
    pub image: &'a str,
    /// The folder with the dynamic files, watched while it runs.
    pub dynamic: &'a Path,
    /// An empty folder for what the stack adds to them.
    pub own: &'a Path,
    /// The certificate shown on the TLS entry point, and its key; PEM.
    pub certificate: (&'a str, &'a str),
    /// The plain and the TLS entry point.
    pub entry_points: &'a EntryPoints,
    /// `providersThrottleDuration`; Traefik's own 2 s without.
    pub throttle: Option<Duration>,
    /// Names that resolve to an address, besides those of containers.
    pub hosts: &'a [(String, IpAddr)],
    /// The public names by which apps in containers find it.
    pub public: &'a [String],
    /// The routers in the files, as the API names them.
    pub routers: &'a [String],
    /// The ports on loopback for the plain and the TLS entry point; 0 means a free one.
    pub ports: (u16, u16),
}

/// A running Traefik.
pub struct Traefik {
    /// Its container.
    pub component: Component,
    /// Where the plain entry point is published.
    pub http: SocketAddr,
    /// Where the TLS entry point is published.
    pub https: SocketAddr,
}

impl Traefik {
    /// Starts it and waits until its API lists every router of the files and a router of the same files answers:
    /// a port that listens, and a ping, are too early.
    ///
    /// # Errors
    /// [`Error`] with the last state and the end of its log.
    pub async fn start(lab: &Lab, settings: &TraefikSettings<'_>) -> Result<Self, Error> {
        let plain = &settings.entry_points.http;
        write_own(settings).map_err(|error| Error::Task {
            task: format!("write {}", settings.own.display()),
            reason: error.to_string(),
        })?;
        let component = container(lab, settings).await?;
        if lab.has_apps {
            component.join(&lab.apps, settings.public).await?;
        }
        let http = component.published(HTTP).await?;
        let https = component.published(HTTPS).await?;
        let api = component.address(API).await?;
        let client = client("ask Traefik's API")?;
        ready(&component, LIMIT, async || {
            listed(&client, api, settings.routers).await?;
            let asked = client.get(format!("http://{http}/")).header(reqwest::header::HOST, SENTINEL).send();
            let answer = asked.await.map_err(|error| crate::docker::root_cause(&error))?;
            match answer.status().as_u16() {
                418 => Ok(()),
                status => Err(format!("its files are not loaded: entry point `{plain}` answers {status}")),
            }
        })
        .await?;
        Ok(Self { component, http, https })
    }
}

/// Makes and starts the container. A free port may be gone by the time Docker takes it; then others are tried.
async fn container(lab: &Lab, settings: &TraefikSettings<'_>) -> Result<Component, Error> {
    let mut tries = 0;
    loop {
        let mut recipe = Recipe::new("traefik", settings.image, &lab.front);
        recipe.command = arguments(settings.entry_points, settings.throttle);
        recipe.mounts = vec![(settings.dynamic.to_owned(), DYNAMIC), (settings.own.to_owned(), OWN_MOUNT)];
        recipe.hosts = settings.hosts.to_vec();
        recipe.ports = vec![
            (HTTP, fixed(settings.ports.0).map_err(taken)?),
            (HTTPS, fixed(settings.ports.1).map_err(taken)?),
        ];
        tries += 1;
        match Component::start(lab, recipe).await {
            Err(Error::Start { reason, .. })
                if settings.ports == (0, 0) && tries < TRIES && reason.contains("already") => {}
            started => return started,
        }
    }
}

fn taken(error: io::Error) -> Error {
    Error::Task { task: "find a free port on loopback".to_owned(), reason: error.to_string() }
}

/// `port`, or a free one: a port that Docker chose itself would be another after a restart.
fn fixed(port: u16) -> io::Result<u16> {
    if port != 0 {
        return Ok(port);
    }
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn arguments(
    EntryPoints { http, https, https_tls }: &EntryPoints,
    throttle: Option<Duration>,
) -> Vec<String> {
    let throttle =
        throttle.map(|throttle| format!("--providers.providersThrottleDuration={}ms", throttle.as_millis()));
    let mut arguments = vec![
        format!("--entryPoints.{http}.address=:{HTTP}"),
        format!("--entryPoints.{https}.address=:{HTTPS}"),
        format!("--providers.file.directory={DYNAMIC}"),
        "--providers.file.watch=true".to_owned(),
        "--api.insecure=true".to_owned(),
        "--accesslog=true".to_owned(),
        "--log.level=INFO".to_owned(),
        "--global.checkNewVersion=false".to_owned(),
        "--global.sendAnonymousUsage=false".to_owned(),
    ];
    arguments.extend(throttle);
    if *https_tls {
        arguments.push(format!("--entryPoints.{https}.http.tls=true"));
    }
    arguments
}

/// Writes the certificate and the file that names it.
fn write_own(settings: &TraefikSettings<'_>) -> io::Result<()> {
    let plain = &settings.entry_points.http;
    let (certificate, key) = settings.certificate;
    // The container's user may be another than this process's.
    std::fs::create_dir_all(settings.dynamic.join(OWN))?;
    std::fs::write(settings.own.join("certificate.pem"), certificate)?;
    std::fs::write(settings.own.join("key.pem"), key)?;
    let file = format!(
        "tls:\n  stores:\n    default:\n      defaultCertificate:\n        certFile: {OWN_MOUNT}/certificate.pem\n        \
         keyFile: {OWN_MOUNT}/key.pem\nhttp:\n  routers:\n    ssoproof-ready:\n      rule: Host(`{SENTINEL}`)\n      \
         entryPoints: [{plain}]\n      service: noop@internal\n"
    );
    std::fs::write(settings.own.join("ssoproof.yml"), file)
}

/// Which of `routers` the API does not list yet.
async fn listed(client: &reqwest::Client, api: SocketAddr, routers: &[String]) -> Result<(), String> {
    let body = get(client, &format!("http://{api}/api/http/routers?per_page=1000")).await?;
    let found: Vec<Value> = serde_json::from_str(&body).map_err(|error| error.to_string())?;
    let missing = routers.iter().find(|name| !found.iter().any(|router| router["name"] == ***name));
    match missing {
        Some(name) => Err(format!("its API does not list the router `{name}`")),
        None => Ok(()),
    }
}

/// Rewrites every upstream in the dynamic files in `folder` that is served at another port than its own, keeping
/// its host name. `upstreams` says where each `host:port` is served.
///
/// # Errors
/// When a file cannot be read or written.
pub fn upstreams_at(folder: &Path, upstreams: &BTreeMap<(String, u16), SocketAddr>) -> io::Result<()> {
    for file in files(folder)? {
        let text = std::fs::read_to_string(&file)?;
        let rewritten = rewrite(&text, upstreams);
        if rewritten != text {
            std::fs::write(&file, rewritten)?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if ssoproof_deployment::traefik::is_dynamic_file(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The text with the port of every URL whose host and port are in `upstreams` replaced.
fn rewrite(text: &str, upstreams: &BTreeMap<(String, u16), SocketAddr>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let default = if rest[..at].ends_with("https") { HTTPS } else { HTTP };
        let (before, authority) = rest.split_at(at + 3);
        let end = authority.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-._:".contains(letter)));
        let (authority, after) = authority.split_at(end.unwrap_or(authority.len()));
        out.push_str(before);
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()),
            None => (authority, Some(default)),
        };
        let served = port.and_then(|port| upstreams.get(&(host.to_ascii_lowercase(), port)));
        match served {
            // Writing to a string cannot fail.
            Some(served) => drop(write!(out, "{host}:{}", served.port())),
            None => out.push_str(authority),
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_upstreams_that_are_served_elsewhere_change_their_port() {
        let at = |port| SocketAddr::new(IpAddr::from([172, 18, 0, 1]), port);
        let upstreams = BTreeMap::from([
            (("stream".to_owned(), 3000), at(40001)),
            (("docs".to_owned(), 80), at(40002)),
            (("minio".to_owned(), 9001), at(40003)),
        ]);
        let text = "url: http://stream:3000\n- url: \"http://docs/\"\n# http://stream:30001 http://minio:9000\n\
                    address: http://authentik-server:9000/outpost\nlast: http://minio:9001";
        let expected = "url: http://stream:40001\n- url: \"http://docs:40002/\"\n# http://stream:30001 \
                        http://minio:9000\naddress: http://authentik-server:9000/outpost\n\
                        last: http://minio:40003";
        assert_eq!(rewrite(text, &upstreams), expected);
    }

    #[test]
    fn entry_points_have_the_names_of_the_files() {
        let names = |https_tls| EntryPoints { http: "plain".to_owned(), https: "tls".to_owned(), https_tls };
        let arguments = arguments(&names(false), Some(Duration::from_millis(1_500)));
        assert!(arguments.contains(&"--providers.providersThrottleDuration=1500ms".to_owned()));
        assert!(arguments.contains(&"--entryPoints.plain.address=:80".to_owned()));
        assert!(arguments.contains(&"--entryPoints.tls.address=:443".to_owned()));
        let with_tls = super::arguments(&names(true), None);
        assert!(with_tls.contains(&"--entryPoints.tls.http.tls=true".to_owned()), "{with_tls:?}");
    }
}
