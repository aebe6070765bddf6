//! The in-process stack: every part on loopback, in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustls::{ClientConfig, ServerConfig};
use secrecy::ExposeSecret as _;
use ssoproof_deployment::Deployment;
use ssoproof_deployment::traefik::{Profile as TraefikProfile, RuntimeConfig};
use ssoproof_embedded::authentik::{self, Authentik, Profile, State};
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::faults::{Fault, Link, Recorder, Script, Seam, Switch, Tap};
use ssoproof_embedded::gateway::{self, Gateway};
use ssoproof_embedded::logs::Logs;
use ssoproof_embedded::minio::policy::PolicyDocument;
use tempfile::TempDir;

use super::authority::{Authority, trusting};
use super::defect::{Defect, Wires};
use super::files::Kept;
use super::loan::Loan;
use super::parts::{Making, Parts, Services, behind_traefik, copy, failed, host_and_port, host_of, policies};
use super::{LogTails, Need, Reach, Secrets, Stack, StackError, StackFuture};
use crate::provision::provision;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The folder with the Traefik files, in one that is the stack's.
const FILES: &str = "traefik";
/// How long is waited on a stack with a fault.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long a change of files is held back after another, unless the deployment says.
const THROTTLE: Duration = Duration::from_millis(25);

/// The in-process stack of one deployment.
pub struct Embedded {
    blueprint: Arc<Blueprint>,
    /// Reaches what a browser can: the public hosts. Clones share connections.
    client: Client,
    logs: Logs,
    origin: Origin,
    changed_words: Option<BTreeSet<String>>,
    /// The folder with the Traefik files.
    files: PathBuf,
    authentik: Authentik,
    gateway: Gateway,
    parts: Parts,
    /// Forks that no case is on, as good as new; those with files of their own for faults to come apart.
    free: Mutex<[Vec<Arc<Self>>; 2]>,
    wires: Wires,
    /// The Traefik files as they were before a fault came that has changed them.
    before: Mutex<Option<Kept>>,
}

/// What every fork of a stack shares.
struct Blueprint {
    deployment: Arc<Deployment>,
    secrets: Arc<Secrets>,
    server: Arc<ServerConfig>,
    tls: Arc<ClientConfig>,
    policies: BTreeMap<String, PolicyDocument>,
    authentik: Profile,
    traefik: &'static TraefikProfile,
    defect: Defect,
    /// How long is waited for anything, where it is not what it takes.
    patience: Option<Duration>,
}

/// What a fork takes over as it was when the first stack of its blueprint had started.
#[derive(Clone)]
struct Origin {
    /// What Authentik held once it was provisioned, before anybody signed in.
    provisioned: Arc<State>,
    /// Holds the folder with the Traefik files, and what tools put beside it.
    traefik: Arc<TempDir>,
    /// What the gateway made of them; none when they are bad.
    config: Option<Arc<RuntimeConfig>>,
    services: Arc<Services>,
}

impl Embedded {
    /// Starts a stack of `deployment` and provisions its Authentik through the REST API.
    ///
    /// # Errors
    /// [`StackError`] when a version is not modelled, a part does not listen or Authentik refuses something.
    pub async fn start(deployment: Arc<Deployment>) -> Result<Self, StackError> {
        Self::start_with(deployment, None).await
    }

    /// Starts a stack of `deployment` that has `fault`.
    ///
    /// # Errors
    /// [`StackError`] as [`Embedded::start`], and [`StackError::Fault`] when the deployment has nothing for it to break.
    pub async fn start_with(
        deployment: Arc<Deployment>,
        fault: Option<&'static Fault>,
    ) -> Result<Self, StackError> {
        let patience = fault.map(|_| PATIENCE);
        let blueprint = Arc::new(Blueprint::new(deployment, fault, patience)?);
        Self::build(blueprint, None, Reach::Own, Tap::default()).await
    }

    /// Starts a stack of `deployment` on which nobody waits long for what does not come about, for faults that come later.
    ///
    /// # Errors
    /// [`StackError`] as [`Embedded::start`].
    pub async fn impatient(deployment: Arc<Deployment>) -> Result<Self, StackError> {
        let blueprint = Arc::new(Blueprint::new(deployment, None, Some(PATIENCE))?);
        Self::build(blueprint, None, Reach::Own, Tap::default()).await
    }

    /// A fork in the state that every case starts from, for one that reaches as far as `reach`; its wires keep in
    /// `recorder` what passes them.
    ///
    /// # Errors
    /// [`StackError`] when a part does not listen.
    pub async fn recorded(&self, reach: Reach, recorder: Recorder) -> Result<Self, StackError> {
        self.fork(reach, Some(recorder)).await
    }

    async fn fork(&self, reach: Reach, recorder: Option<Recorder>) -> Result<Self, StackError> {
        let tap = Tap { recorder, switch: reach.faults().then(Switch::default) };
        Self::build(self.blueprint.clone(), Some(&self.origin), reach, tap).await
    }

    /// Puts every part into the state that cases start from, when nobody uses the stack. Its files stay.
    pub async fn renew(&self) {
        self.authentik.edit(|state| state.clone_from(&self.origin.provisioned));
        self.parts.renew().await;
        self.logs.clear();
    }

    fn free(&self) -> MutexGuard<'_, [Vec<Arc<Self>>; 2]> {
        self.free.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Words of which every request to Authentik says one that the stack's fault is about, when it is about what has been
    /// set up there, and not about every request.
    pub fn changed_words(&self) -> Option<&BTreeSet<String>> {
        self.changed_words.as_ref()
    }

    /// Where the gateway listens, plain and with TLS.
    pub fn entry_points(&self) -> (SocketAddr, SocketAddr) {
        (self.gateway.http(), self.gateway.https())
    }

    /// Builds a stack, which forks from `origin` when there is one, for what reaches as far as `reach`: the files are its
    /// own where they are changed, and its gateway watches them where tools change them.
    async fn build(
        blueprint: Arc<Blueprint>,
        origin: Option<&Origin>,
        reach: Reach,
        tap: Tap,
    ) -> Result<Self, StackError> {
        let deployment = &blueprint.deployment;
        let (internal, public, logs) = (Names::default(), Names::default(), Logs::default());
        let authentik = Authentik::start(authentik::Settings {
            bootstrap_token: blueprint.secrets.admin_token.expose_secret().to_owned(),
            bootstrap_password: blueprint.secrets.admin_token.expose_secret().to_owned(),
            state: origin.map(|origin| State::clone(&origin.provisioned)),
            store: None,
            secret_key: Vec::new(),
            profile: blueprint.authentik.clone(),
            logs: logs.clone(),
        })
        .await
        .map_err(|error| failed("Authentik", &error))?;
        let defect = &blueprint.defect;
        let mut wires = Wires::new(tap);
        if let Some((host, port)) = host_and_port(&deployment.auth.upstream) {
            internal.insert(&host, port, authentik.address());
        }
        let mut changed_words = None;
        let provisioned = match origin {
            Some(origin) => origin.provisioned.clone(),
            None => {
                let client = Client::new(internal.clone(), blueprint.tls.clone());
                provision(deployment, client, &deployment.auth.upstream, &blueprint.secrets).await?;
                changed_words = defect.in_database(&authentik, deployment)?;
                Arc::new(authentik.state())
            }
        };
        if let Some((host, port)) = host_and_port(&deployment.auth.upstream) {
            let address = wires.lay(defect, Link::Authentik, authentik.address(), deployment).await?;
            internal.insert(&host, port, address);
        }

        let traefik = match origin {
            Some(origin) if reach <= Reach::Setup => origin.traefik.clone(),
            Some(origin) => Arc::new(copied(&origin.traefik.path().join(FILES))?),
            None => {
                let traefik = copied(&deployment.folder.join(&deployment.traefik.dynamic.value))?;
                defect.in_files(&traefik.path().join(FILES), deployment)?;
                Arc::new(traefik)
            }
        };
        let files = traefik.path().join(FILES);
        let mut settings = gateway::Settings::new(
            &files,
            blueprint.server.clone(),
            internal.clone(),
            blueprint.tls.clone(),
            logs.clone(),
        );
        [settings.http, settings.https] = deployment.traefik.entry_points.both();
        settings.profile = blueprint.traefik;
        settings.watch = reach.files();
        settings.throttle = blueprint.throttle();
        settings.config = origin.and_then(|origin| origin.config.clone());
        defect.in_gateway(&mut settings);
        let gateway = Gateway::start(settings).await.map_err(|error| failed("the gateway", &error))?;
        for names in [&internal, &public] {
            behind_traefik(names, deployment, gateway.http(), gateway.https());
        }

        let services = match origin {
            Some(origin) => origin.services.clone(),
            None => Arc::new(Services::start(deployment, LOOPBACK, &blueprint.server, defect).await?),
        };
        let mut parts = Parts::start(&Making {
            deployment,
            secrets: &blueprint.secrets,
            grafana: deployment.apps.grafana.as_ref(),
            minio: deployment.apps.minio.as_ref(),
            policies: &blueprint.policies,
            tls: blueprint.tls.clone(),
            names: internal.clone(),
            logs: logs.clone(),
            services: services.clone(),
            address: LOOPBACK,
            defect,
        })
        .await?;
        wires.lay_to_parts(defect, &mut parts, deployment, &blueprint.server).await?;
        parts.announce(&internal);
        parts.initialise().await;
        let client = Client::new(public, blueprint.tls.clone());
        let config = (gateway.version() > 0).then(|| gateway.config());
        let origin = Origin { provisioned, traefik, config, services };
        Ok(Self {
            blueprint,
            client,
            logs,
            origin,
            changed_words,
            files,
            authentik,
            gateway,
            parts,
            free: Mutex::default(),
            wires,
            before: Mutex::default(),
        })
    }

    /// Lets `fault` come, which comes and goes, when its seam is the files.
    fn break_files(&self, fault: &'static Fault) -> Result<(), StackError> {
        if matches!(fault.seam, Seam::Files(_)) {
            *self.before() = Some(Kept::of(&self.files)?);
            let edited = Defect::of(Some(fault)).in_files(&self.files, &self.blueprint.deployment);
            if edited.is_err() {
                self.mend_files()?;
                return edited;
            }
            // Files that Traefik refuses leave it with those before.
            let _ = self.gateway.reload();
        }
        Ok(())
    }

    /// Puts the files back that a fault has changed.
    fn mend_files(&self) -> Result<(), StackError> {
        let Some(before) = self.before().take() else { return Ok(()) };
        before.write_back()?;
        let _ = self.gateway.reload();
        Ok(())
    }

    fn before(&self) -> MutexGuard<'_, Option<Kept>> {
        self.before.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Blueprint {
    fn new(
        deployment: Arc<Deployment>,
        fault: Option<&'static Fault>,
        patience: Option<Duration>,
    ) -> Result<Self, StackError> {
        let defect = Defect::of(fault);
        let upstreams = deployment.services.values().filter(|service| service.speaks_tls());
        let upstreams = upstreams.filter_map(|service| host_of(&service.upstream));
        let authority = Authority::new(deployment.hosts().into_iter().chain(upstreams).collect())?;
        Ok(Self {
            secrets: Arc::new(Secrets::random(&deployment)),
            server: authority.server()?,
            tls: trusting(&authority.ca)?,
            policies: policies(&deployment)?,
            authentik: defect.in_version(modelled(&deployment)?),
            traefik: TraefikProfile::for_version(&deployment.versions.traefik),
            deployment,
            defect,
            patience,
        })
    }

    fn throttle(&self) -> Duration {
        self.deployment.traefik.throttle.as_ref().map_or(THROTTLE, |stated| stated.0)
    }
}

/// A copy of the Traefik files in `from`, so that nothing the stack writes reaches the user's.
fn copied(from: &Path) -> Result<TempDir, StackError> {
    let copied = || {
        let folder = tempfile::tempdir()?;
        let files = folder.path().join(FILES);
        std::fs::create_dir(&files)?;
        copy(from, &files)?;
        Ok(folder)
    };
    copied().map_err(|error: std::io::Error| failed("the gateway", &error))
}

/// How the deployment's version of Authentik behaves.
pub(super) fn modelled(deployment: &Deployment) -> Result<Profile, StackError> {
    let version = &deployment.versions.authentik;
    Profile::of(version).ok_or_else(|| StackError::Start {
        part: "Authentik",
        reason: format!("version `{version}` is not one of those that are modelled"),
    })
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
            Need::Admin | Need::Probe | Need::Files | Need::Faults => true,
            Need::Components => false,
        }
    }

    fn traefik_files(&self) -> &Path {
        &self.files
    }

    /// Nothing takes time here. With a fault much never comes about, and a run of all of them need not wait for it.
    fn patience(&self) -> Option<Duration> {
        self.blueprint.patience
    }

    fn throttle(&self) -> Duration {
        self.blueprint.throttle()
    }

    fn script(&self) -> Option<Script> {
        self.blueprint.defect.script()
    }

    fn switch_fault(&self, fault: Option<&'static Fault>) -> Result<(), StackError> {
        let switch = self.wires.switch().ok_or(StackError::Unswitched)?;
        self.mend_files()?;
        switch.turn(None);
        if let Some(fault) = fault {
            if !self.wires.carries(fault) {
                return Err(StackError::Fault { name: fault.name });
            }
            self.break_files(fault)?;
            switch.turn(Some(fault));
        }
        Ok(())
    }

    fn logs(&self, count: usize) -> LogTails<'_> {
        let components = self.logs.components().into_iter();
        let tails = components.map(|name| (name.to_owned(), self.logs.tail(name, count))).collect();
        Box::pin(std::future::ready(tails))
    }

    /// Whoever disturbs others gets a fork. It goes from case to case, unless tools have rewritten its files.
    fn lend(self: Arc<Self>, reach: Reach) -> StackFuture<'static, Loan> {
        Box::pin(async move {
            if reach == Reach::Own {
                return Ok(Loan::new(self));
            }
            if reach.files() {
                return Ok(Loan::new(Arc::new(self.fork(reach, None).await?)));
            }
            let kind = usize::from(reach.faults());
            let free = self.free()[kind].pop();
            let fork = match free {
                Some(fork) => fork,
                None => Arc::new(self.fork(reach, None).await?),
            };
            let back = fork.clone();
            Ok(Loan::returning(fork, move |_| {
                Box::pin(async move {
                    if reach.faults() {
                        back.switch_fault(None)?;
                    }
                    back.renew().await;
                    self.free()[kind].push(back);
                    Ok(())
                })
            }))
        })
    }
}
