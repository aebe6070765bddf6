//! The stack in containers: Traefik, Authentik, PostgreSQL and Redis, with the parts that the harness serves.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use ssoproof_containers::{
    Authentik, AuthentikSettings, Component, Control, Defaults, Docker, Image, Images, Lab, Labels, Postgres,
    PostgresSettings, Snapshot, Traefik, TraefikSettings, redis_host, start_redis, upstreams_at,
};
use ssoproof_deployment::Deployment;
use ssoproof_embedded::authentik as embedded_authentik;
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::logs::Logs;

use super::authority::{Authority, trusting};
use super::embedded::modelled;
use super::lease::{LeaseFolder, plain, private_folder, state_folder};
use super::live::names_of;
use super::locks::CaseLock;
use super::parts::{Making, Parts, Upstreams, copy, failed, host_and_port, policies};
use super::secrets::{Kept, random, write_private};
use super::{Lease, Live, Secrets, Stack, StackError};
use crate::provision::{self, Setup, provision};
use crate::routing::Routing;

/// The user and the database of Authentik in PostgreSQL.
const DATABASE: &str = "authentik";
/// The longest wait for a process that is starting the stack.
const PATIENCE: Duration = Duration::from_secs(600);

/// How a stack of containers is started.
#[derive(Clone, Debug)]
pub struct ContainerOptions {
    /// The image of each component.
    pub images: Images,
    /// Whether the snapshot of an earlier start is left aside.
    pub cold: bool,
    /// The ports on loopback for Traefik's plain and TLS entry points; 0 means a free one.
    pub ports: (u16, u16),
}

/// A stack of containers in the hands of this process: its own, or another's that it shares.
pub struct Containers {
    folder: LeaseFolder,
    lease: Lease,
    live: Arc<Live>,
    /// Keeps the owner from taking the stack down.
    user: Option<File>,
    owned: Option<Owned>,
}

/// What the owner holds.
struct Owned {
    docker: Docker,
    owner: File,
    _components: Vec<Component>,
    _parts: Parts,
    _authentik: Option<embedded_authentik::Authentik>,
}

/// What a snapshot needs besides its data.
#[derive(Deserialize, Serialize)]
struct SnapshotSecrets {
    secrets: Kept,
    secret_key: String,
    postgres_password: String,
}

impl Containers {
    /// Uses the stack of `deployment` that is running, or starts one and owns it.
    ///
    /// # Errors
    /// [`StackError`]: the daemon, an image, a component that does not become ready, what Authentik refuses. Nothing
    /// is left behind then.
    pub async fn open(deployment: Arc<Deployment>, options: &ContainerOptions) -> Result<Self, StackError> {
        let folder = LeaseFolder::of(&deployment)?;
        let started = Instant::now();
        loop {
            let user = folder.use_it().map_err(|error| unusable(&folder, &error))?;
            if let Some(lease) = folder.running() {
                let fitting = lease.fingerprint == fingerprint(&deployment, options);
                if !fitting {
                    return Err(StackError::Lease(format!(
                        "the stack that process {} runs was started from other images or another state of the \
                         deployment: `ssoproof down` ends it",
                        lease.pid
                    )));
                }
                return Self::join(deployment, folder, lease, user).await;
            }
            drop(user);
            if let Some(owner) = folder.own().map_err(|error| unusable(&folder, &error))? {
                return Self::start(deployment, options, folder, owner).await;
            }
            if started.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                return Err(StackError::Lease(format!(
                    "another process starts the stack for {seconds} s now"
                )));
            }
            // The owner's start takes seconds; its lease appears all at once.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn join(
        deployment: Arc<Deployment>,
        folder: LeaseFolder,
        lease: Lease,
        user: File,
    ) -> Result<Self, StackError> {
        let docker = Docker::connect().await?;
        let live = Arc::new(live(deployment, &folder, &lease, docker)?);
        Ok(Self { folder, lease, live, user: Some(user), owned: None })
    }

    async fn start(
        deployment: Arc<Deployment>,
        options: &ContainerOptions,
        folder: LeaseFolder,
        owner: File,
    ) -> Result<Self, StackError> {
        let docker = Docker::connect().await?;
        reap(&docker, Some(&folder)).await?;
        let labels = Labels {
            stack: format!("ssoproof-{:08x}", rand::random::<u32>()),
            lease: folder.path().display().to_string(),
        };
        let starting = Start { deployment: &deployment, options, folder: &folder, docker: &docker };
        let started = tokio::select! {
            started = starting.start(labels.clone()) => started,
            () = interrupted() => Err(StackError::Interrupted),
        };
        let (lease, components, parts, authentik) = match started {
            Ok(started) => started,
            Err(error) => {
                docker.remove_stack(&labels.stack).await?;
                return Err(error);
            }
        };
        let user = folder.use_it().map_err(|error| unusable(&folder, &error))?;
        folder.write(&lease).map_err(|error| unusable(&folder, &error))?;
        let live = Arc::new(live(deployment, &folder, &lease, docker.clone())?);
        let owned = Owned { docker, owner, _components: components, _parts: parts, _authentik: authentik };
        Ok(Self { folder, lease, live, user: Some(user), owned: Some(owned) })
    }

    /// The stack, for cases.
    pub fn stack(&self) -> Arc<dyn Stack> {
        self.live.clone()
    }

    /// What others know of it.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The folder of its lease.
    pub fn folder(&self) -> &LeaseFolder {
        &self.folder
    }

    /// Whether this process owns it.
    pub fn owned(&self) -> bool {
        self.owned.is_some()
    }

    /// Stops using it. The owner waits for the other users, then takes it down.
    ///
    /// # Errors
    /// [`StackError::Containers`] with what Docker did not remove.
    pub async fn close(mut self) -> Result<(), StackError> {
        self.leave();
        if self.owned.is_some() {
            let waited = tokio::select! {
                waited = self.folder.unused() => waited,
                () = interrupted() => Ok(()),
            };
            waited.map_err(|error| unusable(&self.folder, &error))?;
        }
        self.take_down().await
    }

    /// Stops using it without ending it, as one who owns it for others does.
    pub fn leave(&mut self) {
        self.user = None;
    }

    /// Takes it down, used or not, when this process owns it.
    ///
    /// # Errors
    /// [`StackError::Containers`] with what Docker did not remove.
    pub async fn take_down(self) -> Result<(), StackError> {
        let Some(owned) = self.owned else { return Ok(()) };
        self.folder.discard();
        owned.docker.remove_stack(&self.lease.stack).await?;
        drop(owned.owner);
        Ok(())
    }
}

/// Resolves when somebody asks this process to end.
pub(crate) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        }
        // Without handlers the kernel ends the process.
        _ => std::future::pending().await,
    }
}

/// Removes every stack whose owner is dead; in the folder that this process has just come to own, every one.
///
/// # Errors
/// [`StackError::Containers`] with what Docker did not remove.
pub(super) async fn reap(docker: &Docker, own: Option<&LeaseFolder>) -> Result<(), StackError> {
    for labels in docker.stacks().await? {
        let folder = LeaseFolder::at(Path::new(&labels.lease));
        let ours = own.is_some_and(|own| own.path() == folder.path());
        if ours || !folder.owned() {
            docker.remove_stack(&labels.stack).await?;
        }
    }
    Ok(())
}

/// Removes what dead owners left; returns whether there was anything.
pub(crate) async fn reap_all() -> Result<bool, StackError> {
    let docker = Docker::connect().await?;
    let before = docker.stacks().await?.len();
    reap(&docker, None).await?;
    Ok(docker.stacks().await?.len() < before)
}

/// Asks a process to end.
pub(crate) fn end(pid: u32) -> Result<(), StackError> {
    let failed = |reason: String| StackError::Lease(format!("failed to end process {pid}: {reason}"));
    let raw = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let pid = raw.ok_or_else(|| failed("it is no process".to_owned()))?;
    match rustix::process::kill_process(pid, rustix::process::Signal::TERM) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn unusable(folder: &LeaseFolder, error: &std::io::Error) -> StackError {
    StackError::Lease(format!("failed to use `{}`: {error}", folder.path().display()))
}

/// The stack of a lease.
fn live(
    deployment: Arc<Deployment>,
    folder: &LeaseFolder,
    lease: &Lease,
    docker: Docker,
) -> Result<Live, StackError> {
    let names = names_of(&deployment, lease.http, lease.https);
    let setup = Setup::deserialize(&lease.setup)
        .map_err(|error| StackError::Lease(format!("the lease does not parse: {error}")))?;
    Ok(Live {
        kind: "containers",
        client: Client::new(names, trusting(&lease.ca)?),
        secrets: Arc::new(lease.secrets.clone().into()),
        traefik: folder.path().join("traefik"),
        control: Control::new(docker, lease.containers.clone()),
        lock: CaseLock::new(folder.path()),
        setup: Arc::new(setup),
        deployment,
    })
}

/// What a stack was started from, so that nobody uses one that is not theirs.
fn fingerprint(deployment: &Deployment, options: &ContainerOptions) -> String {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    serde_json::to_string(deployment).unwrap_or_default().hash(&mut hasher);
    format!("{:?}", options.images).hash(&mut hasher);
    if let Ok(dynamic) = ssoproof_deployment::traefik::Dynamic::load(
        &deployment.folder.join(&deployment.traefik.dynamic.value),
        ssoproof_deployment::traefik::Profile::for_version(&deployment.versions.traefik),
    ) {
        format!("{dynamic:?}").hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// One start.
struct Start<'a> {
    deployment: &'a Arc<Deployment>,
    options: &'a ContainerOptions,
    folder: &'a LeaseFolder,
    docker: &'a Docker,
}

type Started = (Lease, Vec<Component>, Parts, Option<embedded_authentik::Authentik>);

/// Where Authentik is, whoever serves it.
struct Provider {
    address: SocketAddr,
    postgres: Option<Postgres>,
    components: Vec<Component>,
    timings: Vec<(String, Duration)>,
    /// Whether it still has to be provisioned.
    fresh: bool,
}

impl Start<'_> {
    async fn start(&self, labels: Labels) -> Result<Started, StackError> {
        let (deployment, images) = (self.deployment, &self.options.images);
        let profile = match images.authentik {
            Image::Embedded => Some(modelled(deployment)?),
            Image::Named(_) => None,
        };
        let policies = policies(deployment)?;
        let snapshot = self.snapshot().await?;
        let warm = if self.options.cold || profile.is_some() { None } else { snapshot.kept().await };
        let (secrets, secret_key, postgres_password) = match &warm {
            Some(kept) => (
                Secrets::from(kept.secrets.clone()),
                kept.secret_key.clone().into(),
                kept.postgres_password.clone().into(),
            ),
            None => (Secrets::random(deployment), random(), random()),
        };
        let mut hosts = deployment.hosts();
        hosts.sort();
        let authority = Authority::new(hosts)?;
        let tls = trusting(&authority.ca)?;
        let started = Instant::now();
        let lab = Lab::open(self.docker.clone(), labels.clone()).await?;

        // Names as the parts see them; Traefik's entry points are added once it is there.
        let (names, logs) = (Names::default(), Logs::default());
        let parts = Parts::start(&Making {
            deployment,
            secrets: &secrets,
            policies: &policies,
            tls: tls.clone(),
            names: names.clone(),
            logs: logs.clone(),
            address: lab.gateway(),
        })
        .await?;
        let mut upstreams = parts.upstreams.clone();
        let in_process = match profile {
            None => None,
            Some(profile) => {
                let settings = embedded_authentik::Settings {
                    bootstrap_token: secrets.admin_token.expose_secret().to_owned(),
                    bootstrap_password: secrets.admin_token.expose_secret().to_owned(),
                    state: None,
                    store: None,
                    secret_key: Vec::new(),
                    profile,
                    logs: logs.clone(),
                };
                let authentik =
                    embedded_authentik::Authentik::start_at((lab.gateway(), 0).into(), settings).await;
                let authentik = authentik.map_err(|error| failed("Authentik", &error))?;
                upstreams
                    .extend(host_and_port(&deployment.auth.upstream).map(|at| (at, authentik.address())));
                Some(authentik)
            }
        };

        let gateway = self.traefik(&lab, &authority, &upstreams);
        let provider = async {
            match &in_process {
                Some(authentik) => Ok(Provider {
                    address: authentik.address(),
                    postgres: None,
                    components: Vec::new(),
                    timings: Vec::new(),
                    fresh: true,
                }),
                None => {
                    let image = warm.as_ref().map(|_| snapshot.image.image());
                    self.authentik(&lab, image, &secrets, &secret_key, &postgres_password).await
                }
            }
        };
        let (gateway, provider) = tokio::try_join!(gateway, provider)?;
        let (traefik, traefik_took) = gateway;
        let Provider { address, postgres, mut components, mut timings, fresh } = provider;
        timings.push(("traefik".to_owned(), traefik_took));

        let internal = Names::default();
        if let Some((host, port)) = host_and_port(&deployment.auth.upstream) {
            internal.insert(&host, port, address);
        }
        let client = Client::new(internal, tls);
        let upstream = &deployment.auth.upstream;
        if fresh {
            let since = Instant::now();
            provision(deployment, client.clone(), upstream, &secrets).await?;
            timings.push(("provisioning".to_owned(), since.elapsed()));
        }
        provision::served(deployment, &client, upstream).await?;
        for host in deployment.hosts() {
            names.insert(&host, 80, traefik.http);
            names.insert(&host, 443, traefik.https);
        }
        parts.initialise().await;
        let setup = Setup::read(client, upstream, &secrets).await?;
        if let (true, Some(postgres)) = (fresh, &postgres) {
            let since = Instant::now();
            let kept = SnapshotSecrets {
                secrets: secrets.keep(),
                secret_key: secret_key.expose_secret().to_owned(),
                postgres_password: postgres_password.expose_secret().to_owned(),
            };
            snapshot.keep(postgres, &kept).await?;
            timings.push(("snapshot".to_owned(), since.elapsed()));
        }
        let (http, https) = (traefik.http, traefik.https);
        components.push(traefik.component);
        components.extend(postgres.map(|postgres| postgres.component));
        timings.push(("all".to_owned(), started.elapsed()));
        let lease = Lease {
            stack: labels.stack,
            deployment: deployment.name.clone(),
            pid: std::process::id(),
            fingerprint: fingerprint(deployment, self.options),
            http,
            https,
            ca: authority.ca,
            secrets: secrets.keep(),
            containers: components.iter().map(|one| (one.name().to_owned(), one.id().to_owned())).collect(),
            setup: serde_json::to_value(setup).unwrap_or_default(),
            timings,
        };
        Ok((lease, components, parts, in_process))
    }

    /// Copies the dynamic files, points them at the parts and starts Traefik with them.
    async fn traefik(
        &self,
        lab: &Lab,
        authority: &Authority,
        upstreams: &Upstreams,
    ) -> Result<(Traefik, Duration), StackError> {
        let (deployment, since) = (self.deployment, Instant::now());
        let (files, own) = (self.folder.path().join("traefik"), self.folder.path().join("traefik-own"));
        let prepare = || -> std::io::Result<()> {
            for folder in [&files, &own] {
                if folder.exists() {
                    std::fs::remove_dir_all(folder)?;
                }
                std::fs::create_dir(folder)?;
            }
            copy(&deployment.folder.join(&deployment.traefik.dynamic.value), &files)?;
            upstreams_at(&files, upstreams)
        };
        prepare().map_err(|error| failed("Traefik", &error))?;
        let routing = Routing::read(deployment, &files);
        let routing = routing.map_err(|problem| failed("Traefik", &problem))?;
        let routers: Vec<String> =
            routing.config().routers.iter().map(|router| router.name.clone()).collect();
        let mut hosts: Vec<_> = upstreams.keys().map(|(host, _)| (host.clone(), lab.gateway())).collect();
        hosts.dedup();
        let names = &deployment.traefik.entry_points;
        let traefik = Traefik::start(
            lab,
            &TraefikSettings {
                image: &self.options.images.traefik,
                dynamic: &files,
                own: &own,
                certificate: (&authority.certificate, &authority.key),
                entry_points: (&names.http, &names.https),
                hosts: &hosts,
                routers: &routers,
                ports: self.options.ports,
            },
        )
        .await?;
        Ok((traefik, since.elapsed()))
    }

    /// Starts Authentik and its databases together: it waits for them itself, as it does wherever it runs.
    async fn authentik(
        &self,
        lab: &Lab,
        snapshot: Option<String>,
        secrets: &Secrets,
        secret_key: &SecretString,
        password: &SecretString,
    ) -> Result<Provider, StackError> {
        let (deployment, images) = (self.deployment, &self.options.images);
        let (alias, port) = host_and_port(&deployment.auth.upstream)
            .ok_or_else(|| failed("Authentik", &"`auth.upstream` names no host"))?;
        let postgres = PostgresSettings {
            image: snapshot.as_deref().unwrap_or(&images.postgres),
            user: DATABASE,
            password,
            database: DATABASE,
        };
        let authentik = AuthentikSettings {
            image: images.authentik.name().unwrap_or_default(),
            alias: &alias,
            port,
            secret_key,
            bootstrap_password: &secrets.admin_token,
            bootstrap_token: &secrets.admin_token,
            postgres_host: &Postgres::host(lab),
            postgres_user: DATABASE,
            postgres_password: password,
            postgres_name: DATABASE,
            redis_host: &redis_host(lab),
        };
        let defaults = defaults(deployment);
        let ((postgres, postgres_took), (redis, redis_took), (authentik, authentik_took)) = tokio::try_join!(
            timed(Postgres::start(lab, &postgres)),
            timed(start_redis(lab, &images.redis)),
            timed(Authentik::start(lab, &authentik, &defaults)),
        )?;
        Ok(Provider {
            address: authentik.address,
            postgres: Some(postgres),
            components: vec![redis, authentik.server, authentik.worker],
            timings: vec![
                ("postgres".to_owned(), postgres_took),
                ("redis".to_owned(), redis_took),
                ("authentik".to_owned(), authentik_took),
            ],
            fresh: snapshot.is_none(),
        })
    }

    async fn snapshot(&self) -> Result<Kit, StackError> {
        let (deployment, images) = (self.deployment, &self.options.images);
        let mut hasher = DefaultHasher::new();
        provision::REVISION.hash(&mut hasher);
        serde_json::to_string(deployment).unwrap_or_default().hash(&mut hasher);
        self.docker.digest(&images.postgres).await.hash(&mut hasher);
        self.docker.digest(images.authentik.name().unwrap_or_default()).await.hash(&mut hasher);
        let (owner, key) = (snapshot_owner(deployment)?, format!("{:016x}", hasher.finish()));
        let folder = snapshot_folder()?;
        let file = folder.join(format!("{owner}-{key}.json"));
        Ok(Kit { image: Snapshot::new(self.docker.clone(), owner, key), file })
    }
}

/// What a start comes to, and how long it took.
async fn timed<T>(
    start: impl Future<Output = Result<T, ssoproof_containers::Error>>,
) -> Result<(T, Duration), StackError> {
    let since = Instant::now();
    Ok((start.await?, since.elapsed()))
}

/// Whose snapshots those of a deployment are: its own, and of this user's state, which has their secrets.
fn snapshot_owner(deployment: &Deployment) -> Result<String, StackError> {
    let mut hasher = DefaultHasher::new();
    state_folder()?.hash(&mut hasher);
    Ok(format!("{}-{:016x}", plain(&deployment.name), hasher.finish()))
}

fn snapshot_folder() -> Result<PathBuf, StackError> {
    let folder = state_folder()?.join("snapshots");
    private_folder(&folder)?;
    Ok(folder)
}

/// Removes the snapshots of a deployment, with their secrets.
pub(crate) async fn forget(deployment: &Deployment) -> Result<(), StackError> {
    let (owner, folder) = (snapshot_owner(deployment)?, snapshot_folder()?);
    Docker::connect().await?.forget(&owner, None).await?;
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&owner) {
            std::fs::remove_file(entry.path()).map_err(|error| failed("the snapshots", &error))?;
        }
    }
    Ok(())
}

/// A snapshot and the file with its secrets.
struct Kit {
    image: Snapshot,
    file: PathBuf,
}

impl Kit {
    /// The secrets of a snapshot that exists as a whole.
    async fn kept(&self) -> Option<SnapshotSecrets> {
        let kept = serde_json::from_str(&std::fs::read_to_string(&self.file).ok()?).ok()?;
        self.image.exists().await.then_some(kept)
    }

    async fn keep(&self, postgres: &Postgres, secrets: &SnapshotSecrets) -> Result<(), StackError> {
        // Without it the old image is not used, should this process end before the new one is whole.
        let _ = std::fs::remove_file(&self.file);
        self.image.keep(postgres).await?;
        let text = serde_json::to_string(secrets).unwrap_or_default();
        write_private(&self.file, &text).map_err(|error| failed("the snapshot", &error))
    }
}

/// What the default blueprints must have made before `deployment` can be provisioned.
fn defaults(deployment: &Deployment) -> Defaults<'_> {
    let mut flows = provision::flows(deployment);
    flows.push(&deployment.auth.authentication_flow);
    flows.push(&deployment.auth.invalidation_flow);
    flows.sort_unstable();
    flows.dedup();
    let mut scopes: Vec<&str> = deployment
        .providers()
        .into_iter()
        .flat_map(|(_, provider)| provider.scopes.iter().map(|scope| scope.as_str()))
        .filter(|scope| provision::OWN_SCOPES.contains(scope))
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    Defaults { flows, scopes }
}

/// How long each component took, for people.
pub(crate) fn timeline(timings: &[(String, Duration)]) -> String {
    let parts = timings.iter().map(|(name, took)| format!("{name} {:.1} s", took.as_secs_f64()));
    parts.collect::<Vec<_>>().join(", ")
}
