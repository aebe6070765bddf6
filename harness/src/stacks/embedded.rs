//! The in-process stack: every part on loopback, in this process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use ssoproof_deployment::traefik::{EntryPoint, Profile as TraefikProfile};
use ssoproof_deployment::{
    Bridge as DeployedBridge, Deployment, Grafana as DeployedGrafana, Minio as DeployedMinio,
};
use ssoproof_embedded::authentik::{self, Authentik, Profile, State};
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::gateway::{self, Gateway};
use ssoproof_embedded::grafana::role::RoleSettings;
use ssoproof_embedded::grafana::{self, Grafana};
use ssoproof_embedded::logs::Logs;
use ssoproof_embedded::minio::policy::PolicyDocument;
use ssoproof_embedded::minio::{self, ConsoleVariant, Minio, OpenId};
use ssoproof_embedded::services::{Bridge, Probe, ProbeSettings};
use tempfile::TempDir;
use url::Url;

use super::authority::Authority;
use super::{Need, Secrets, Stack, StackError, StackFuture};
use crate::provision::provision;

/// The in-process stack of one deployment.
pub struct Embedded {
    blueprint: Arc<Blueprint>,
    /// Reaches what a browser can: the public hosts. Clones share connections.
    client: Client,
    logs: Logs,
    traefik: TempDir,
    /// What Authentik held once it was provisioned, before anybody signed in.
    provisioned: Arc<State>,
    _authentik: Authentik,
    _gateway: Gateway,
    _grafana: Option<Grafana>,
    _minio: Option<Minio>,
    _services: Vec<Probe>,
}

/// What every fork of a stack shares.
struct Blueprint {
    deployment: Arc<Deployment>,
    secrets: Arc<Secrets>,
    authority: Authority,
    policies: BTreeMap<String, PolicyDocument>,
    authentik: Profile,
    traefik: &'static TraefikProfile,
}

impl Embedded {
    /// Starts a stack of `deployment` and provisions its Authentik through the REST API.
    ///
    /// # Errors
    /// [`StackError`] when a version is not modelled, a part does not listen or Authentik refuses something.
    pub async fn start(deployment: Arc<Deployment>) -> Result<Self, StackError> {
        let blueprint = Arc::new(Blueprint::new(deployment)?);
        Self::build(blueprint, None).await
    }

    async fn build(blueprint: Arc<Blueprint>, provisioned: Option<Arc<State>>) -> Result<Self, StackError> {
        let deployment = &blueprint.deployment;
        let (internal, public, logs) = (Names::default(), Names::default(), Logs::default());
        let authentik = Authentik::start(authentik::Settings {
            bootstrap_token: blueprint.secrets.admin_token.expose_secret().to_owned(),
            bootstrap_password: blueprint.secrets.admin_token.expose_secret().to_owned(),
            state: provisioned.as_deref().cloned(),
            profile: blueprint.authentik.clone(),
            logs: logs.clone(),
        })
        .await
        .map_err(|error| failed("Authentik", &error))?;
        register(&internal, &deployment.auth.upstream, authentik.address());
        let provisioned = match provisioned {
            Some(provisioned) => provisioned,
            None => {
                let client = Client::new(internal.clone(), blueprint.authority.client.clone());
                provision(deployment, client, &deployment.auth.upstream, &blueprint.secrets).await?;
                Arc::new(authentik.state())
            }
        };

        let traefik = copy_of(&deployment.folder.join(&deployment.traefik.dynamic.value))
            .map_err(|error| failed("the gateway", &error))?;
        let mut settings = gateway::Settings::new(
            traefik.path(),
            blueprint.authority.server.clone(),
            internal.clone(),
            blueprint.authority.client.clone(),
            logs.clone(),
        );
        settings.http = EntryPoint::new(&deployment.traefik.entry_points.http);
        settings.https = EntryPoint::new(&deployment.traefik.entry_points.https);
        settings.profile = blueprint.traefik;
        settings.watch = false;
        let gateway = Gateway::start(settings).await.map_err(|error| failed("the gateway", &error))?;
        for host in deployment.hosts() {
            for names in [&internal, &public] {
                names.insert(&host, 80, gateway.http());
                names.insert(&host, 443, gateway.https());
            }
        }

        let services = blueprint.services(&internal).await?;
        let grafana = match &deployment.apps.grafana {
            Some(app) => Some(blueprint.grafana(app, &internal, &logs).await?),
            None => None,
        };
        let minio = match &deployment.apps.minio {
            Some(app) => Some(blueprint.minio(app, &internal, &logs).await?),
            None => None,
        };
        let client = Client::new(public, blueprint.authority.client.clone());
        Ok(Self {
            blueprint,
            client,
            logs,
            traefik,
            provisioned,
            _authentik: authentik,
            _gateway: gateway,
            _grafana: grafana,
            _minio: minio,
            _services: services,
        })
    }
}

impl Blueprint {
    fn new(deployment: Arc<Deployment>) -> Result<Self, StackError> {
        let unknown = |part: &'static str, version: &str| StackError::Start {
            part,
            reason: format!("version `{version}` is not one of those that are modelled"),
        };
        let versions = &deployment.versions;
        let authentik =
            Profile::of(&versions.authentik).ok_or_else(|| unknown("Authentik", &versions.authentik))?;
        let traefik = TraefikProfile::for_version(&versions.traefik);
        let mut policies = BTreeMap::new();
        for (name, file) in deployment.apps.minio.iter().flat_map(|minio| &minio.policies) {
            let path = deployment.folder.join(&file.value);
            let wrong = |reason: String| StackError::Start {
                part: "MinIO",
                reason: format!("policy `{}`: {reason}", path.display()),
            };
            let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
            let policy = PolicyDocument::parse(&text).map_err(|error| wrong(error.to_string()))?;
            policies.insert(name.clone(), policy);
        }
        Ok(Self {
            secrets: Arc::new(Secrets::random(&deployment)),
            authority: Authority::new(deployment.hosts())?,
            policies,
            authentik,
            traefik,
            deployment,
        })
    }

    fn client_secret(&self, client_id: &str) -> String {
        self.secrets
            .client_secrets
            .get(client_id)
            .map(|secret| secret.expose_secret().to_owned())
            .unwrap_or_default()
    }

    async fn services(&self, internal: &Names) -> Result<Vec<Probe>, StackError> {
        let mut probes = Vec::new();
        for (slug, service) in &self.deployment.services {
            let bridge = match service.bridge {
                None => Bridge::None,
                Some(DeployedBridge::AsDocumented) => Bridge::AsDocumented,
                Some(DeployedBridge::Safe) => Bridge::Safe,
            };
            let settings = ProbeSettings { name: slug.clone(), bridge, folding: true };
            let probe = Probe::start(settings).await.map_err(|error| failed("a service", &error))?;
            register(internal, &service.upstream, probe.address());
            probes.push(probe);
        }
        Ok(probes)
    }

    async fn grafana(
        &self,
        app: &DeployedGrafana,
        internal: &Names,
        logs: &Logs,
    ) -> Result<Grafana, StackError> {
        let base = &self.deployment.auth.url.value;
        let mut settings = grafana::Settings::new(
            app.url.value.clone(),
            format!("{base}/application/o/authorize/"),
            format!("{base}/application/o/token/"),
            internal.clone(),
            self.authority.client.clone(),
            logs.clone(),
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
        let grafana = Grafana::start(settings).await.map_err(|error| failed("Grafana", &error))?;
        register(internal, &app.upstream, grafana.address());
        Ok(grafana)
    }

    async fn minio(&self, app: &DeployedMinio, internal: &Names, logs: &Logs) -> Result<Minio, StackError> {
        let base = &self.deployment.auth.url.value;
        let scopes: Vec<&str> = app.provider.scopes.iter().map(|scope| scope.as_str()).collect();
        let minio = Minio::start(minio::Settings {
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
            root_password: self.secrets.admin_token.expose_secret().to_owned(),
            buckets: app.buckets.clone(),
            console: ConsoleVariant::Sso,
            names: internal.clone(),
            tls: self.authority.client.clone(),
            logs: logs.clone(),
        })
        .await
        .map_err(|error| failed("MinIO", &error))?;
        register(internal, &app.api_upstream, minio.api());
        register(internal, &app.upstream, minio.console());
        // A deployment whose provider MinIO cannot use still starts: its cases show what is wrong.
        let _ = minio.initialise().await;
        Ok(minio)
    }
}

impl Stack for Embedded {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    fn client(&self) -> Client {
        self.client.clone()
    }

    fn secrets(&self) -> &Arc<Secrets> {
        &self.blueprint.secrets
    }

    fn offers(&self, need: Need) -> bool {
        match need {
            Need::Admin | Need::Probe => true,
        }
    }

    fn traefik_files(&self) -> &Path {
        self.traefik.path()
    }

    fn logs(&self, count: usize) -> Vec<(String, Vec<String>)> {
        let components = self.logs.components().into_iter();
        components.map(|name| (name.to_owned(), self.logs.tail(name, count))).collect()
    }

    fn fork(&self) -> StackFuture<'_, Arc<dyn Stack>> {
        Box::pin(async move {
            let fork = Self::build(self.blueprint.clone(), Some(self.provisioned.clone())).await?;
            Ok(Arc::new(fork) as Arc<dyn Stack>)
        })
    }
}

/// Says that the host and port of `url` listen at `address`.
fn register(names: &Names, url: &str, address: SocketAddr) {
    if let Ok(url) = Url::parse(url)
        && let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default())
    {
        names.insert(host, port, address);
    }
}

/// A copy of a folder and what is below it, so that nothing the stack writes reaches the user's files.
fn copy_of(folder: &Path) -> std::io::Result<TempDir> {
    fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
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
    let copied = tempfile::tempdir()?;
    copy(folder, copied.path())?;
    Ok(copied)
}

fn failed(part: &'static str, error: &dyn std::fmt::Display) -> StackError {
    StackError::Start { part, reason: error.to_string() }
}
