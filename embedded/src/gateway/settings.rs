//! What a gateway is started with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ssoproof_deployment::traefik::Profile;

use crate::dial::Names;
use crate::logs::Logs;

/// Everything a gateway needs to know.
#[derive(Clone)]
pub struct Settings {
    /// The folder of the file provider.
    pub directory: PathBuf,
    /// The name of the entry point that speaks plain HTTP.
    pub http: String,
    /// The name of the entry point that ends TLS.
    pub https: String,
    /// The certificates of the TLS entry point.
    pub tls: Arc<rustls::ServerConfig>,
    /// Whether X-Forwarded-* of any client are believed (`forwardedHeaders.insecure`).
    pub trusts_forwarded: bool,
    /// Where auth servers and services listen, as the files name them.
    pub names: Names,
    /// What it trusts when it dials them by TLS.
    pub client_tls: Arc<rustls::ClientConfig>,
    /// The version to behave as.
    pub profile: Profile,
    /// Whether the folder is watched; otherwise [`super::Gateway::reload`] tells of changes.
    pub watch: bool,
    /// The least time between two configurations when the folder is watched (`providersThrottleDuration`).
    pub throttle: Duration,
    /// Where its log goes.
    pub logs: Logs,
}
