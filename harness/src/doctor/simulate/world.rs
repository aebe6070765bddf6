//! The running parts, and the way to an answer.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use ssoproof_deployment::{Deployment, Persona};
use ssoproof_embedded::authentik::{self, Authentik, Profile};
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::logs::Logs;
use ssoproof_embedded::services::{Probe, ProbeSettings};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::answer::Answer;
use super::control;
use super::front::{Front, Making};
use super::upstreams::{AUTHENTIK, Upstreams, tls_hosts};
use crate::agent::{Agent, Credentials, Jar, Limits, Outgoing, Page, RawRequest, SignIn};
use crate::doctor::finding::Finding;
use crate::doctor::proof::{Asked, Proof, Way};
use crate::doctor::subject::Subject;
use crate::evidence::{Ledger, header_lines};
use crate::provision::provision;
use crate::stacks::{Authority, Secrets, StackError, failed, host_of, trusting};

/// The longest wait for an answer of the embedded stack.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The cookie of a service, which the forward auth has no business with.
const OWN_COOKIE: &str = "service_session=mine";

/// The running parts. Dropping it stops them.
pub(in crate::doctor) struct World {
    subject: Arc<Subject>,
    /// Ways to reach the gateway with the files, the same with a recorder, and the control.
    files: Client,
    recorder: Option<(Client, Probe)>,
    control: Client,
    secrets: Secrets,
    upstreams: Upstreams,
    /// The jars of users who have signed in, by host.
    jars: Mutex<HashMap<String, Option<Jar>>>,
    _fronts: Vec<Front>,
    _authentik: Authentik,
    _folder: TempDir,
}

impl World {
    /// Starts what `findings` need.
    pub(in crate::doctor) async fn start(
        subject: &Arc<Subject>,
        findings: &[Finding],
    ) -> Result<Self, StackError> {
        let deployment = authentik_side(subject);
        let asked: Vec<&Asked> = findings
            .iter()
            .filter_map(|finding| match &finding.proof {
                Proof::Request(asked, _) => Some(asked.as_ref()),
                _ => None,
            })
            .collect();
        let hosts = hosts(subject, &deployment, &asked);
        let authority = Authority::new(hosts.clone())?;
        let trust = trusting(&authority.ca)?;
        let secrets = Secrets::random(&deployment);
        let logs = Logs::default();
        let authentik = Authentik::start(authentik::Settings {
            bootstrap_token: secrets.admin_token.expose_secret().to_owned(),
            bootstrap_password: secrets.admin_token.expose_secret().to_owned(),
            state: None,
            store: None,
            secret_key: Vec::new(),
            profile: modelled(&deployment.versions.authentik)?,
            logs: logs.clone(),
        })
        .await
        .map_err(|error| failed("Authentik", &error))?;
        let mut upstreams = Upstreams::start(subject, &deployment, authentik.address(), &authority).await?;
        let internal = upstreams.names.clone();
        let base = format!("http://{AUTHENTIK}");
        provision(&deployment, Client::new(internal.clone(), trust.clone()), &base, &secrets).await?;

        let folder = control::files(&deployment).map_err(|error| failed("the gateway", &error))?;
        let making = Making { subject, authority: &authority, trust, logs, hosts: &hosts };
        let control = making.control(folder.path(), &internal).await?;
        let files = making.files(&internal, &upstreams.plain).await?;
        public(&internal, subject, &files);
        let mut fronts = Vec::new();
        let recorder = if asked.iter().any(|asked| asked.way == Way::Recorder) {
            let probe = Probe::start(ProbeSettings::default()).await;
            let probe = probe.map_err(|error| failed("a probe", &error))?;
            let names = upstreams.recorded(subject, probe.address()).await?;
            let servers = upstreams.recorded_plain(subject, probe.address());
            let recorded = making.files(&names, &servers).await?;
            let client = making.client(&recorded)?;
            fronts.push(recorded);
            Some((client, probe))
        } else {
            None
        };
        let (through, past) = (making.client(&files)?, making.client(&control)?);
        fronts.extend([files, control]);
        Ok(Self {
            subject: subject.clone(),
            files: through,
            recorder,
            control: past,
            secrets,
            jars: Mutex::default(),
            _fronts: fronts,
            upstreams,
            _authentik: authentik,
            _folder: folder,
        })
    }

    /// Makes the request.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub(in crate::doctor) async fn answer(&self, asked: &Asked) -> Result<Answer, String> {
        let client = match (asked.way, &self.recorder) {
            (Way::Files, _) => &self.files,
            (Way::Recorder, Some((client, _))) => client,
            (Way::Recorder, None) => return Err("there is no recorder".to_owned()),
            (Way::Authentik, _) => &self.control,
        };
        let host = asked.url.host_str().unwrap_or_default();
        if !is_plain(host) {
            return Err(format!("`{host}` is no name that can be asked for"));
        }
        let mut agent = agent(client);
        if asked.signed_in {
            let jar = self.signed_in(host).await;
            agent.restore(jar.ok_or_else(|| format!("no user could sign in at {host}"))?);
        }
        let mut raw = RawRequest::new(&asked.method, asked.url.clone());
        raw.with_cookies = asked.signed_in;
        let given = |name: &str| asked.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
        if !given("accept") {
            raw = raw.header("Accept", "text/html,application/json");
        }
        for (name, value) in &asked.headers {
            raw = raw.header(name.as_str(), value.as_str());
        }
        let recorder = self.recorder.as_ref().filter(|_| asked.way == Way::Recorder).map(|(_, probe)| probe);
        let before = recorder.map_or(0, |probe| probe.arrived().len());
        let mut ledger = Ledger::default();
        let index = agent.raw(raw, &mut ledger).await;
        let hop = ledger.hop(index).cloned().ok_or("no request was made")?;
        let routing = self.subject.routing.as_ref().filter(|_| asked.way != Way::Authentik);
        let router = routing.and_then(|routing| routing.winner(&asked.url, &asked.method, &asked.headers));
        let name = hop.response().and_then(|answer| answer.header("x-ssoproof-probe"));
        let server = name.and_then(|name| self.upstreams.places.get(name).cloned());
        // What follows the question is the request itself, where it leads to Authentik.
        let recorded = recorder.and_then(|probe| probe.arrived().into_iter().nth(before));
        let lines = recorded.into_iter().flat_map(|arrived| arrived.headers);
        Ok(Answer {
            router: router.map(|router| router.name.clone()),
            server,
            arrived: ledger
                .arrived(&hop)
                .iter()
                .flat_map(header_lines)
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            asked: lines.map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect(),
            hop,
        })
    }

    /// The cookies of a user whom the service at `host` lets in, with one of the service's own.
    async fn signed_in(&self, host: &str) -> Option<Jar> {
        let mut jars = self.jars.lock().await;
        if let Some(jar) = jars.get(host) {
            return jar.clone();
        }
        let jar = self.sign_in(host).await;
        jars.insert(host.to_owned(), jar.clone());
        jar
    }

    async fn sign_in(&self, host: &str) -> Option<Jar> {
        let deployment = &self.subject.deployment;
        let (_, slug) = self.subject.protected().into_iter().find(|(known, _)| known == host)?;
        let allow = &deployment.services.get(slug)?.allow;
        let let_in = |persona: &Persona| {
            let mut groups = persona.groups.iter();
            persona.active
                && (allow.is_empty() || groups.any(|group| allow.iter().any(|one| **one == **group)))
        };
        let (name, persona) = deployment.personas.iter().find(|(_, persona)| let_in(persona))?;
        let credentials = Credentials {
            username: persona.username.value.clone(),
            password: self.secrets.passwords.get(name)?.clone(),
        };
        let mut agent = agent(&self.control);
        let mut ledger = Ledger::default();
        let url = self.subject.url(host, "/")?;
        let (landing, page) = agent.visit(Outgoing::get(url.clone()), &mut ledger).await;
        if landing.page(&ledger) == Page::Login || page.is_some() {
            let done = agent.sign_in_from(page?, &credentials, &mut ledger).await.ok()?;
            let SignIn::Done { .. } = done else { return None };
        }
        ledger.arrived(ledger.last()?)?;
        let mut jar = agent.snapshot();
        let context = crate::agent::RequestContext {
            url: &url,
            initiator: None,
            mode: crate::agent::Mode::Navigation,
            safe_method: true,
        };
        jar.take(format!("{OWN_COOKIE}; Path=/").as_bytes(), &context);
        Some(jar)
    }
}

fn agent(client: &Client) -> Agent {
    let limits = Limits { timeout: PATIENCE, ..Limits::default() };
    Agent::new("doctor", client.clone(), limits)
}

/// The deployment as Authentik has it: by what is set up there, where that is known, else by what is promised.
fn authentik_side(subject: &Subject) -> Deployment {
    let mut deployment = subject.deployment.clone();
    if let Some(blueprint) = &subject.blueprint {
        blueprint.set_up(&mut deployment);
    }
    // Authentik takes no provider for what is no web address, or for a host that is no name.
    deployment.services.retain(|_, service| {
        let web = ["http://", "https://"].iter().any(|scheme| service.url.starts_with(scheme));
        web && host_of(&service.url).is_some_and(|host| is_plain(&host))
    });
    deployment
}

/// How the version of Authentik behaves; the newest that is modelled for one that is not.
fn modelled(version: &str) -> Result<Profile, StackError> {
    let found = Profile::of(version).or_else(|| Profile::of("2026.2"));
    found.ok_or_else(|| failed("Authentik", &format!("version `{version}` is not modelled")))
}

/// Every host that a certificate is needed for.
fn hosts(subject: &Subject, deployment: &Deployment, asked: &[&Asked]) -> Vec<String> {
    let asked = asked.iter().filter_map(|asked| asked.url.host_str().map(str::to_owned));
    let all = subject.hosts().into_iter().chain(deployment.hosts()).chain(asked).chain(tls_hosts(subject));
    let all: BTreeSet<String> = all.collect();
    all.into_iter().filter(|host| is_plain(host)).collect()
}

/// Whether a host is made of letters, digits, `-` and `.` as names are.
fn is_plain(host: &str) -> bool {
    let letters = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    letters && host.len() < 250 && host.split('.').all(|part| !part.is_empty() && part.len() < 64)
}

/// Makes the gateway's own hosts known to it: a forward auth that asks a public address comes back.
fn public(names: &Names, subject: &Subject, front: &Front) {
    for host in subject.hosts() {
        for (port, address) in [(80, front.http()), (443, front.https())] {
            insert_new(names, &host, port, address);
        }
    }
}

fn insert_new(names: &Names, host: &str, port: u16, address: SocketAddr) {
    if names.lookup(host, port).is_none() {
        names.insert(host, port, address);
    }
}
