//! The stack in containers: Traefik, Authentik, PostgreSQL, Redis, Grafana and MinIO, with the parts that the harness
//! serves.

mod apps;
mod late;
mod start;
mod warm;

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ssoproof_containers::{Component, Control, Docker, Images, Labels};
use ssoproof_deployment::Deployment;
use ssoproof_embedded::authentik as embedded_authentik;
use ssoproof_embedded::dial::{Client, Names};

pub(crate) use start::timeline;
pub(crate) use warm::forget;

use self::late::Late;
use self::start::{Start, Started};
use super::authority::trusting;
use super::lease::LeaseFolder;
use super::locks::CaseLock;
use super::parts::{Parts, behind_traefik};
use super::process::Interruption;
use super::{Lease, Live, Stack, StackError};

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
    interruption: Option<Interruption>,
    late: Late,
    _components: Vec<Component>,
    _parts: Parts,
    _authentik: Option<embedded_authentik::Authentik>,
}

impl ContainerOptions {
    /// What `deployment.yaml` and `SSOPROOF_IMAGE_<COMPONENT>` say, warm, on free ports; for the components `stated`
    /// what `deployment.yaml` says.
    ///
    /// # Errors
    /// A sentence about the image that makes no sense.
    pub fn of_environment(deployment: &Deployment, stated: &[&str]) -> Result<Self, String> {
        let images = Images::of(deployment, |component| {
            let name = format!("SSOPROOF_IMAGE_{}", component.to_ascii_uppercase());
            if stated.contains(&component) { None } else { std::env::var(name).ok() }
        })?;
        Ok(Self { images, cold: false, ports: (0, 0) })
    }
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
            host: host(),
        };
        let mut interruption = Interruption::listen()?;
        let starting = Start { deployment: &deployment, options, folder: &folder, docker: &docker };
        let started = tokio::select! {
            started = starting.start(labels.clone()) => started,
            () = interruption.came() => Err(StackError::Interrupted),
        };
        let Started { lease, components, late, parts, authentik } = match started {
            Ok(started) => started,
            Err(error) => {
                docker.remove_stack(&labels.stack).await?;
                return Err(error);
            }
        };
        let user = folder.use_it().map_err(|error| unusable(&folder, &error))?;
        folder.write(&lease).map_err(|error| unusable(&folder, &error))?;
        let live = Arc::new(live(deployment, &folder, &lease, docker.clone())?);
        let owned = Owned {
            docker,
            owner,
            interruption: Some(interruption),
            late,
            _components: components,
            _parts: parts,
            _authentik: authentik,
        };
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

    /// What its owner does when it is asked to end; none when this process is not, or has been given it before.
    pub(super) fn ending(&mut self) -> Option<Ending> {
        let owned = self.owned.as_mut()?;
        let (docker, late) = (owned.docker.clone(), owned.late.clone());
        let interruption = owned.interruption.take()?;
        Some(Ending { interruption, late, docker, stack: self.lease.stack.clone() })
    }

    /// Whether this process owns it.
    pub fn owned(&self) -> bool {
        self.owned.is_some()
    }

    /// Stops using it. The owner waits for the other users, of whom `waiting` hears, then takes it down.
    ///
    /// # Errors
    /// [`StackError::Containers`] with what Docker did not remove.
    pub async fn close(mut self, waiting: impl FnOnce()) -> Result<(), StackError> {
        self.leave();
        if self.owned.is_none() {
            return Ok(());
        }
        if self.folder.used() {
            waiting();
        }
        // Nobody joins a stack that is going down.
        let _closed = self.folder.close().await.map_err(|error| unusable(&self.folder, &error))?;
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
        remove(&owned.docker, &owned.late, &self.lease.stack).await?;
        drop(owned.owner);
        Ok(())
    }
}

/// The end of a stack whose owner is asked to end, in other hands than the stack.
pub(super) struct Ending {
    interruption: Interruption,
    late: Late,
    docker: Docker,
    stack: String,
}

impl Ending {
    /// Resolves once somebody has asked for it since the stack began to start.
    pub(super) async fn came(&mut self) {
        self.interruption.came().await;
    }

    /// Removes the stack's containers, under those who use it.
    ///
    /// # Errors
    /// [`StackError::Containers`] with what Docker did not remove.
    pub(super) async fn remove(&self) -> Result<(), StackError> {
        remove(&self.docker, &self.late, &self.stack).await
    }
}

/// Removes a stack that is whole, or will be once the containers of `late` are there.
async fn remove(docker: &Docker, late: &Late, stack: &str) -> Result<(), StackError> {
    late.settle().await;
    Ok(docker.remove_stack(stack).await?)
}

/// Removes every stack whose owner is dead; in the folder that this process has just come to own, every one. Returns
/// how many that were.
///
/// # Errors
/// [`StackError::Containers`] with what Docker did not remove.
async fn reap(docker: &Docker, own: Option<&LeaseFolder>) -> Result<usize, StackError> {
    let mut reaped = 0;
    for labels in docker.stacks().await? {
        let folder = LeaseFolder::at(Path::new(&labels.lease));
        let ours = own.is_some_and(|own| own.path() == folder.path());
        if labels.host == host() && (ours || !folder.owned()) {
            docker.remove_stack(&labels.stack).await?;
            reaped += 1;
        }
    }
    Ok(reaped)
}

/// This machine's name: another that shares the daemon has leases of its own, which cannot be looked at from here.
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Removes what dead owners left; returns whether there was anything.
pub(crate) async fn reap_all() -> Result<bool, StackError> {
    Ok(reap(&Docker::connect().await?, None).await? > 0)
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
    let names = Names::default();
    behind_traefik(&names, &deployment, lease.http, lease.https);
    Ok(Live {
        client: Client::new(names, trusting(&lease.ca)?),
        secrets: Arc::new(lease.secrets.clone().into()),
        traefik: folder.path().join("traefik"),
        control: Control::new(docker, lease.containers.clone()),
        lock: CaseLock::new(folder.path()),
        setup: lease.setup.clone(),
        deployment,
    })
}

/// All that a deployment says of its stack: the texts of requirements, which come with the cases that are chosen, are
/// left out.
fn described(deployment: &Deployment) -> String {
    let mut described = serde_json::to_value(deployment).unwrap_or_default();
    if let Some(fields) = described.as_object_mut() {
        fields.remove("requirements");
    }
    described.to_string()
}

/// What a stack was started from, so that nobody uses one that is not theirs.
fn fingerprint(deployment: &Deployment, options: &ContainerOptions) -> String {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    described(deployment).hash(&mut hasher);
    format!("{:?}", options.images).hash(&mut hasher);
    if let Ok(dynamic) = ssoproof_deployment::traefik::Dynamic::load(
        &deployment.folder.join(&deployment.traefik.dynamic.value),
        ssoproof_deployment::traefik::Profile::for_version(&deployment.versions.traefik),
    ) {
        format!("{dynamic:?}").hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}
