//! How a gateway is set up: Traefik's static configuration.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ssoproof_deployment::traefik::{EntryPoint, Network, Profile, RuntimeConfig};

use crate::dial::Names;
use crate::logs::Logs;

/// What a [`Gateway`](super::Gateway) needs to start.
pub struct Settings {
    /// The folder of the file provider.
    pub directory: PathBuf,
    /// What another gateway has made of the same files, to start with without reading them.
    pub config: Option<Arc<RuntimeConfig>>,
    /// The certificates shown on the TLS entry point.
    pub tls: Arc<rustls::ServerConfig>,
    /// The entry point that speaks plain HTTP.
    pub http: EntryPoint,
    /// The entry point that ends TLS.
    pub https: EntryPoint,
    /// The clients whose `X-Forwarded-*` are believed.
    pub trusted: Trusted,
    /// How the names of upstreams and of the auth server resolve.
    pub names: Names,
    /// The certificates that upstreams may show.
    pub upstream_tls: Arc<rustls::ClientConfig>,
    /// Where log lines go, as component `traefik`.
    pub logs: Logs,
    /// The version to behave as.
    pub profile: &'static Profile,
    /// `providersThrottleDuration`: the least time between two changes that the watcher applies.
    pub throttle: Duration,
    /// The longest time an auth server or a backend may take to answer.
    pub upstream_timeout: Duration,
    /// Whether the folder is watched. Without, only [`Gateway::reload`](super::Gateway::reload) reads it again.
    pub watch: bool,
    /// The machine's name, sent as `X-Forwarded-Server`.
    pub hostname: String,
}

impl Settings {
    /// Settings for `directory` with entry points `web` and `websecure`, nobody trusted, Traefik 3.6.7, a throttle
    /// of 2 s, 30 s for upstreams, and a watcher.
    pub fn new(
        directory: impl Into<PathBuf>,
        tls: Arc<rustls::ServerConfig>,
        names: Names,
        upstream_tls: Arc<rustls::ClientConfig>,
        logs: Logs,
    ) -> Self {
        Self {
            directory: directory.into(),
            config: None,
            tls,
            http: EntryPoint::new("web"),
            https: EntryPoint::new("websecure"),
            trusted: Trusted::Nobody,
            names,
            upstream_tls,
            logs,
            profile: <&Profile>::default(),
            throttle: Duration::from_secs(2),
            upstream_timeout: Duration::from_secs(30),
            watch: true,
            hostname: "traefik".to_owned(),
        }
    }
}

/// `forwardedHeaders` of the entry points.
#[derive(Clone, Debug, Default)]
pub enum Trusted {
    /// Nobody: the default.
    #[default]
    Nobody,
    /// Everybody: `insecure`.
    Everybody,
    /// Clients from these networks: `trustedIPs`.
    From(Vec<Network>),
}

impl Trusted {
    /// Whether `client` is believed.
    pub(super) fn includes(&self, client: IpAddr) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::From(networks) => networks.iter().any(|network| network.contains(client)),
        }
    }
}
