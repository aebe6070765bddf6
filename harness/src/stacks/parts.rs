//! The parts that the harness serves itself: probes in place of the services whatever the rest of the stack is made
//! of, Grafana and MinIO unless containers are.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, ServerConfig};
use secrecy::ExposeSecret as _;
use ssoproof_deployment::{
    Bridge as DeployedBridge, Deployment, Grafana as DeployedGrafana, Minio as DeployedMinio, Service,
};
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::grafana::role::RoleSettings;
use ssoproof_embedded::grafana::{self, Grafana};
use ssoproof_embedded::logs::Logs;
use ssoproof_embedded::minio::policy::PolicyDocument;
use ssoproof_embedded::minio::{self, ConsoleVariant, Minio, OpenId};
use ssoproof_embedded::services::{Bridge, Probe, ProbeSettings};
use tempfile::TempDir;
use url::Url;

use super::defect::Defect;
use super::tls_front::TlsFront;
use super::{Secrets, StackError};

/// Where the `host:port` of each upstream is served.
pub(super) type Upstreams = BTreeMap<(String, u16), SocketAddr>;

/// What the parts are made of.
pub(super) struct Making<'a> {
    pub(super) deployment: &'a Deployment,
    pub(super) secrets: &'a Secrets,
    /// Grafana, when it is to be served.
    pub(super) grafana: Option<&'a DeployedGrafana>,
    /// MinIO, when it is to be served.
    pub(super) minio: Option<&'a DeployedMinio>,
    pub(super) policies: &'a BTreeMap<String, PolicyDocument>,
    /// What Grafana and MinIO trust when they dial Authentik.
    pub(super) tls: Arc<ClientConfig>,
    /// Where they find it.
    pub(super) names: Names,
    pub(super) logs: Logs,
    pub(super) services: Arc<Services>,
    /// The address they all listen on.
    pub(super) address: IpAddr,
    /// What is wrong with them, when something shall be.
    pub(super) defect: &'a Defect,
}

/// The running probes in place of the services. What one stack asks of them no other notices, so stacks may share them.
pub(super) struct Services {
    upstreams: Upstreams,
    /// Where those that speak TLS listen without it.
    behind_tls: Upstreams,
    _probes: Vec<Probe>,
    _fronts: Vec<TlsFront>,
}

impl Services {
    /// Starts them on `address`; those whose upstream is `https://` show the certificate of `server`.
    pub(super) async fn start(
        deployment: &Deployment,
        address: IpAddr,
        server: &Arc<ServerConfig>,
        defect: &Defect,
    ) -> Result<Self, StackError> {
        let mut services = Self {
            upstreams: Upstreams::new(),
            behind_tls: Upstreams::new(),
            _probes: Vec::new(),
            _fronts: Vec::new(),
        };
        for (slug, service) in &deployment.services {
            let mut settings = probe_settings(slug, service);
            defect.in_service(&mut settings);
            let probe = Probe::start_at((address, 0).into(), settings).await;
            let probe = probe.map_err(|error| failed("a service", &error))?;
            let mut served = probe.address();
            if service.speaks_tls() {
                let front = TlsFront::start(served, server.clone()).await;
                let front = front.map_err(|error| failed("a service", &error))?;
                served = front.address();
                services._fronts.push(front);
            }
            if let Some(place) = host_and_port(&service.upstream) {
                if service.speaks_tls() {
                    services.behind_tls.insert(place.clone(), probe.address());
                }
                services.upstreams.insert(place, served);
            }
            services._probes.push(probe);
        }
        Ok(services)
    }
}

/// The running parts. Dropping it stops them.
pub(super) struct Parts {
    pub(super) upstreams: Upstreams,
    minio: Option<Minio>,
    grafana: Option<Grafana>,
    services: Arc<Services>,
}

impl Parts {
    /// Where the service at `place`, which speaks TLS, listens without it.
    pub(super) fn behind_tls(&self, place: &(String, u16)) -> Option<SocketAddr> {
        self.services.behind_tls.get(place).copied()
    }

    pub(super) async fn start(making: &Making<'_>) -> Result<Self, StackError> {
        let mut parts = Self {
            upstreams: making.services.upstreams.clone(),
            minio: None,
            grafana: None,
            services: making.services.clone(),
        };
        if let Some(app) = making.grafana {
            let grafana = Grafana::start_at((making.address, 0).into(), making.grafana(app)).await;
            let grafana = grafana.map_err(|error| failed("Grafana", &error))?;
            parts.served(&app.upstream, grafana.address());
            parts.grafana = Some(grafana);
        }
        if let Some(app) = making.minio {
            let minio = Minio::start_at(making.address, making.minio(app)).await;
            let minio = minio.map_err(|error| failed("MinIO", &error))?;
            parts.served(&app.api_upstream, minio.api());
            parts.served(&app.upstream, minio.console());
            parts.minio = Some(minio);
        }
        Ok(parts)
    }

    /// Lets MinIO look for its provider now that Authentik answers. A deployment whose provider MinIO cannot use
    /// is up all the same: its cases show what is wrong.
    pub(super) async fn initialise(&self) {
        if let Some(minio) = &self.minio {
            let _ = minio.initialise().await;
        }
    }

    /// Puts Grafana and MinIO into the state that they were in once they were initialised.
    pub(super) async fn renew(&self) {
        if let Some(grafana) = &self.grafana {
            grafana.forget();
        }
        if let Some(minio) = &self.minio {
            minio.renew().await;
        }
    }

    /// Makes `names` find every part.
    pub(super) fn announce(&self, names: &Names) {
        for ((host, port), address) in &self.upstreams {
            names.insert(host, *port, *address);
        }
    }

    fn served(&mut self, upstream: &str, address: SocketAddr) {
        if let Some(place) = host_and_port(upstream) {
            self.upstreams.insert(place, address);
        }
    }
}

impl Making<'_> {
    fn client_secret(&self, client_id: &str) -> String {
        let secret = self.secrets.client_secrets.get(client_id);
        secret.map(|secret| secret.expose_secret().to_owned()).unwrap_or_default()
    }

    fn grafana(&self, app: &DeployedGrafana) -> grafana::Settings {
        let base = &self.deployment.auth.url.value;
        let mut settings = grafana::Settings::new(
            app.url.value.clone(),
            format!("{base}/application/o/authorize/"),
            format!("{base}/application/o/token/"),
            self.names.clone(),
            self.tls.clone(),
            self.logs.clone(),
        );
        settings.userinfo_url = Some(format!("{base}/application/o/userinfo/"));
        settings.client_id = app.provider.client_id.clone();
        settings.client_secret = self.client_secret(&app.provider.client_id);
        settings.scopes = app.provider.scopes.iter().map(|scope| scope.value.clone()).collect();
        settings.role = RoleSettings {
            attribute_path: app.role_attribute_path.value.clone(),
            strict: app.role_attribute_strict,
            ..RoleSettings::default()
        };
        settings.signout_redirect_url = app.signout_redirect_url.as_ref().map(|url| url.value.clone());
        settings.cookie_secure = true;
        settings.login_attribute_path = "preferred_username".to_owned();
        self.defect.in_grafana(&mut settings);
        settings
    }

    fn minio(&self, app: &DeployedMinio) -> minio::Settings {
        let base = &self.deployment.auth.url.value;
        let scopes: Vec<&str> = app.provider.scopes.iter().map(|scope| scope.as_str()).collect();
        let mut settings = minio::Settings {
            openid: OpenId {
                config_url: format!(
                    "{base}/application/o/{}/.well-known/openid-configuration",
                    *app.provider.slug
                ),
                client_id: app.provider.client_id.clone(),
                client_secret: self.client_secret(&app.provider.client_id),
                claim_name: app.claim_name.value.clone(),
                scopes: scopes.join(","),
                redirect_uri: app.provider.redirect_uris.first().map(|uri| uri.value.clone()),
                ..OpenId::default()
            },
            policies: self.policies.clone(),
            root_user: "root".to_owned(),
            root_password: self.secrets.minio_root.expose_secret().to_owned(),
            buckets: app.buckets.clone(),
            console: ConsoleVariant::Sso,
            names: self.names.clone(),
            tls: self.tls.clone(),
            logs: self.logs.clone(),
        };
        self.defect.in_minio(&mut settings);
        settings
    }
}

/// The IAM policies that the deployment names, read from their files.
pub(super) fn policies(deployment: &Deployment) -> Result<BTreeMap<String, PolicyDocument>, StackError> {
    let parsed = policy_texts(deployment)?.into_iter().map(|(name, text)| {
        let policy = PolicyDocument::parse(&text);
        let policy = policy.map_err(|error| failed("MinIO", &format!("policy `{name}`: {error}")))?;
        Ok((name, policy))
    });
    parsed.collect()
}

/// The same as they stand in their files.
pub(super) fn policy_texts(deployment: &Deployment) -> Result<BTreeMap<String, String>, StackError> {
    let read = deployment.apps.minio.iter().flat_map(|minio| &minio.policies).map(|(name, file)| {
        let path = deployment.folder.join(&file.value);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| failed("MinIO", &format!("policy `{}`: {error}", path.display())))?;
        Ok((name.clone(), text))
    });
    read.collect()
}

/// The probe in place of a service.
pub(crate) fn probe_settings(slug: &str, service: &Service) -> ProbeSettings {
    let bridge = match service.bridge {
        None => Bridge::None,
        Some(DeployedBridge::AsDocumented) => Bridge::AsDocumented,
        Some(DeployedBridge::Safe) => Bridge::Safe,
    };
    ProbeSettings { name: slug.to_owned(), bridge, folding: true }
}

/// Makes `names` find every host of the deployment at Traefik's plain and TLS entry points.
pub(super) fn behind_traefik(names: &Names, deployment: &Deployment, http: SocketAddr, https: SocketAddr) {
    for host in deployment.hosts() {
        names.insert(&host, 80, http);
        names.insert(&host, 443, https);
    }
}

/// The host that a URL names, in lower case.
pub(crate) fn host_of(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.host_str()?.to_ascii_lowercase())
}

/// The host and the port that a URL names.
pub(crate) fn host_and_port(url: &str) -> Option<(String, u16)> {
    let url = Url::parse(url).ok()?;
    Some((url.host_str()?.to_ascii_lowercase(), url.port_or_known_default()?))
}

/// A copy of a folder and what is below it, so that nothing the stack writes reaches the user's files.
pub(crate) fn copy_of(folder: &Path) -> std::io::Result<TempDir> {
    let copied = tempfile::tempdir()?;
    copy(folder, copied.path())?;
    Ok(copied)
}

/// Copies what is in `from` into `to`, which exists.
pub(super) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The error of a part that does not start.
pub(crate) fn failed(part: &'static str, error: &dyn std::fmt::Display) -> StackError {
    StackError::Start { part, reason: error.to_string() }
}
