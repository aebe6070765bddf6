//! The embedded stack on which findings are tried: a gateway with the files that are looked at, an Authentik set up as
//! the deployment says, and a probe in place of every server. Nothing outside loopback is dialled.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use ssoproof_deployment::traefik::ServiceType;
use ssoproof_deployment::{Deployment, Persona};
use ssoproof_embedded::authentik::{self, Authentik, Profile};
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::gateway::{self, Gateway, Trusted};
use ssoproof_embedded::logs::Logs;
use ssoproof_embedded::services::{Probe, ProbeSettings};
use tempfile::TempDir;
use tokio::sync::Mutex;
use url::Url;

use super::finding::Finding;
use super::infer;
use super::proof::{Asked, Proof, Shows, Way};
use super::subject::{Subject, host_of};
use crate::agent::{Agent, Credentials, Jar, Limits, Outgoing, Page, RawRequest, SignIn};
use crate::evidence::{Hop, Ledger};
use crate::provision::provision;
use crate::stacks::{Authority, Secrets, StackError, host_and_port, trusting};

/// The longest wait for an answer of the embedded stack.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most servers that get a probe of their own; more share the last one.
const MOST_PROBES: usize = 256;
/// The server behind the control's routers.
const CONTROL: &str = "control.invalid";
/// The cookie of a service, which the forward auth has no business with.
const OWN_COOKIE: &str = "service_session=mine";

/// The running parts. Dropping it stops them.
pub(super) struct World {
    subject: Arc<Subject>,
    /// Ways to reach the gateway with the files, the same with a recorder, and the control.
    files: Client,
    recorder: Option<(Client, Probe)>,
    control: Client,
    secrets: Secrets,
    /// The `host:port` that each probe stands for, by the name it answers with.
    places: BTreeMap<String, String>,
    /// The jars of users who have signed in, by host.
    jars: Mutex<HashMap<String, Option<Jar>>>,
    _gateways: Vec<Gateway>,
    _probes: Vec<Probe>,
    _authentik: Authentik,
    _folder: TempDir,
}

/// What came of a request.
pub(super) struct Answer {
    hop: Hop,
    /// The router that took it.
    router: Option<String>,
    /// The server that answered, as `host:port`.
    server: Option<String>,
    /// What reached it.
    arrived: Vec<(String, String)>,
    /// What the recorder was asked with.
    asked: Vec<(String, String)>,
}

impl World {
    /// Starts what `findings` need.
    pub(super) async fn start(subject: &Arc<Subject>, findings: &[Finding]) -> Result<Self, StackError> {
        let deployment = authentik_side(subject);
        let asked: Vec<&Asked> = findings
            .iter()
            .filter_map(|finding| match &finding.proof {
                Proof::Request(asked, _) => Some(asked.as_ref()),
                _ => None,
            })
            .collect();
        let authority = Authority::new(hosts(subject, &deployment, &asked))?;
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
        let internal = Names::default();
        let upstream = host_and_port(&deployment.auth.upstream);
        if let Some((host, port)) = &upstream {
            internal.insert(host, *port, authentik.address());
        }
        let client = Client::new(internal.clone(), trust.clone());
        provision(&deployment, client, &deployment.auth.upstream, &secrets).await?;

        let (mut probes, mut places) = (Vec::new(), BTreeMap::new());
        let mut servers = servers(subject);
        servers.insert((CONTROL.to_owned(), 80));
        servers.retain(|place| Some(place) != upstream.as_ref());
        for (host, port) in &servers {
            if probes.len() < MOST_PROBES {
                let name = format!("server-{}", probes.len());
                let settings = ProbeSettings { name: name.clone(), ..ProbeSettings::default() };
                probes.push(Probe::start(settings).await.map_err(|error| failed("a service", &error))?);
                places.insert(name, format!("{host}:{port}"));
            }
            if let Some(probe) = probes.last() {
                internal.insert(host, *port, probe.address());
            }
        }

        let folder = control_files(&deployment).map_err(|error| failed("the gateway", &error))?;
        let settings = |directory: &Path, names: &Names| -> Result<gateway::Settings, StackError> {
            let (server, logs) = (authority.server()?, logs.clone());
            let mut settings = gateway::Settings::new(directory, server, names.clone(), trust.clone(), logs);
            settings.watch = false;
            settings.upstream_timeout = PATIENCE;
            settings.profile =
                ssoproof_deployment::traefik::Profile::for_version(&deployment.versions.traefik);
            Ok(settings)
        };
        let suspect = |names: &Names| -> Result<gateway::Settings, StackError> {
            let mut settings = settings(&subject.folder, names)?;
            if let Some(routing) = &subject.routing {
                let [http, https] = routing.entry_points();
                (settings.http, settings.https) = (http.clone(), https.clone());
            }
            settings.trusted =
                subject.static_config.as_ref().map_or(Trusted::Nobody, |fixed| fixed.trusted());
            Ok(settings)
        };
        let start =
            async |settings| Gateway::start(settings).await.map_err(|error| failed("the gateway", &error));
        let control = start(settings(folder.path(), &internal)?).await?;
        let files = start(suspect(&internal)?).await?;
        public(&internal, subject, &files);
        let reach = |gateway: &Gateway| {
            let names = Names::default();
            for host in hosts(subject, &deployment, &asked) {
                names.insert(&host, 80, gateway.http());
                names.insert(&host, 443, gateway.https());
            }
            Client::new(names, trust.clone())
        };
        let mut gateways = Vec::new();
        let mut recorder = None;
        if asked.iter().any(|asked| asked.way == Way::Recorder) {
            let names = Names::default();
            let probe =
                Probe::start(ProbeSettings::default()).await.map_err(|error| failed("a probe", &error))?;
            for (host, port) in &servers {
                if let Some(address) = internal.lookup(host, *port) {
                    names.insert(host, *port, address);
                }
            }
            for (host, port) in upstream.iter().chain(&auth_places(subject)) {
                names.insert(host, *port, probe.address());
            }
            let gateway = start(suspect(&names)?).await?;
            recorder = Some((reach(&gateway), probe));
            gateways.push(gateway);
        }
        let (files_client, control_client) = (reach(&files), reach(&control));
        gateways.extend([files, control]);
        Ok(Self {
            subject: subject.clone(),
            files: files_client,
            recorder,
            control: control_client,
            secrets,
            places,
            jars: Mutex::default(),
            _gateways: gateways,
            _probes: probes,
            _authentik: authentik,
            _folder: folder,
        })
    }

    /// Makes the request.
    ///
    /// # Errors
    /// Why it cannot be made.
    pub(super) async fn answer(&self, asked: &Asked) -> Result<Answer, String> {
        let client = match (asked.way, &self.recorder) {
            (Way::Files, _) => &self.files,
            (Way::Recorder, Some((client, _))) => client,
            (Way::Recorder, None) => return Err("there is no recorder".to_owned()),
            (Way::Authentik, _) => &self.control,
        };
        let mut agent = agent(client);
        if asked.signed_in {
            let host = asked.url.host_str().unwrap_or_default();
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
        let server = name.and_then(|name| self.places.get(name).cloned());
        // What follows the question is the request itself, where it leads to Authentik.
        let recorded = recorder.and_then(|probe| probe.arrived().into_iter().nth(before));
        let lines = recorded.into_iter().flat_map(|arrived| arrived.headers);
        Ok(Answer {
            router: router.map(|router| router.name.clone()),
            server,
            arrived: ledger.arrived(&hop).map(|report| header_lines(&report)).unwrap_or_default(),
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

impl Answer {
    /// Whether it shows what it must.
    pub(super) fn shows(&self, shows: &Shows, subject: &Subject) -> bool {
        let status = self.hop.status();
        let read = |lines: &[(String, String)], name: &str, value: &str| {
            lines.iter().any(|(key, got)| key.eq_ignore_ascii_case(name) && got == value)
        };
        match shows {
            Shows::Service => self.server.is_some(),
            Shows::ServiceAt(place) => self.server.as_ref() == Some(place),
            Shows::Status(wanted) => status == Some(*wanted),
            Shows::NotStatus(other) => status.is_some_and(|status| status != *other),
            Shows::NoLogin => status.is_some() && !self.is_login(subject),
            Shows::Authentik => self.is_authentik() && !self.is_login(subject),
            Shows::Reads(name, value) => self.server.is_some() && read(&self.arrived, name, value),
            Shows::Lacks(name) => {
                self.server.is_some() && !self.arrived.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
            }
            Shows::AuthReads(name, value) => read(&self.asked, name, value),
            Shows::Says(text) => {
                self.hop.response().is_some_and(|answer| answer.text().contains(text.as_str()))
            }
        }
    }

    /// Whether the browser is sent to the authorize endpoint, and from there to the login.
    fn is_login(&self, subject: &Subject) -> bool {
        let auth = Url::parse(&subject.deployment.auth.url).ok();
        self.hop.redirect_target().is_some_and(|to| {
            auth.is_some_and(|auth| auth.host_str() == to.host_str())
                && to.path() == "/application/o/authorize/"
        })
    }

    fn is_authentik(&self) -> bool {
        let powered = self.hop.response().and_then(|answer| answer.header("x-powered-by"));
        powered.is_some_and(|by| by.starts_with("authentik"))
    }

    /// What was seen, in a line.
    pub(super) fn told(&self) -> String {
        let by = match &self.router {
            Some(router) => format!(" by router `{router}`"),
            None => String::new(),
        };
        let answer = match &self.hop.outcome {
            Err(error) => return format!("no answer: {}{by}", error.text),
            Ok(answer) => answer,
        };
        let from = match &self.server {
            Some(place) => format!(" from {place}"),
            None if self.is_authentik() => " from Authentik".to_owned(),
            None => String::new(),
        };
        let to = self.hop.redirect_target().map(|to| format!(" to {}", &to[..url::Position::AfterPath]));
        format!("{}{}{from}{by}", answer.status, to.unwrap_or_default())
    }
}

fn agent(client: &Client) -> Agent {
    let limits = Limits { timeout: PATIENCE, ..Limits::default() };
    Agent::new("doctor", client.clone(), limits)
}

fn header_lines(report: &Value) -> Vec<(String, String)> {
    let lines = report["headers"].as_array().into_iter().flatten();
    lines
        .filter_map(|line| Some((line.get(0)?.as_str()?.to_owned(), line.get(1)?.as_str()?.to_owned())))
        .collect()
}

/// The deployment as Authentik has it: by what is set up there, where that is known, else by what is promised.
fn authentik_side(subject: &Subject) -> Deployment {
    let mut deployment = subject.deployment.clone();
    if let Some(blueprint) = &subject.blueprint {
        blueprint.set_up(&mut deployment);
    }
    // Authentik takes no provider for a host that is no name.
    deployment.services.retain(|_, service| host_of(&service.url).is_some_and(|host| is_plain(&host)));
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
    let all: BTreeSet<String> = subject.hosts().into_iter().chain(deployment.hosts()).chain(asked).collect();
    all.into_iter().filter(|host| is_plain(host)).collect()
}

/// Whether a host is made of letters, digits, `-` and `.` as names are.
fn is_plain(host: &str) -> bool {
    let letters = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    letters && host.len() < 250 && host.split('.').all(|part| !part.is_empty() && part.len() < 64)
}

/// The `host:port` of every server in the files.
fn servers(subject: &Subject) -> BTreeSet<(String, u16)> {
    let services = subject.dynamic().into_iter().flat_map(|dynamic| dynamic.services.values());
    let balancers = services.flat_map(|service| &service.types).filter_map(|kind| match kind {
        ServiceType::LoadBalancer(balancer) => Some(balancer),
        ServiceType::Unmodelled(_) => None,
    });
    balancers.flat_map(|balancer| &balancer.servers).filter_map(|server| host_and_port(&server.url)).collect()
}

/// The `host:port` that forward auths ask.
fn auth_places(subject: &Subject) -> Vec<(String, u16)> {
    subject.forward_auths().into_iter().filter_map(|(_, _, auth)| host_and_port(&auth.address)).collect()
}

/// Makes the gateway's own hosts known to it: a forward auth that asks a public address comes back.
fn public(names: &Names, subject: &Subject, gateway: &Gateway) {
    for host in subject.hosts() {
        for (port, address) in [(80, gateway.http()), (443, gateway.https())] {
            insert_new(names, &host, port, address);
        }
    }
}

fn insert_new(names: &Names, host: &str, port: u16, address: SocketAddr) {
    if names.lookup(host, port).is_none() {
        names.insert(host, port, address);
    }
}

/// Files as they should be: the control, through which users sign in.
fn control_files(deployment: &Deployment) -> std::io::Result<TempDir> {
    let upstream = deployment.auth.upstream.trim_end_matches('/');
    let headers: Vec<&str> = infer::IDENTITY.to_vec();
    let mut routers = serde_json::Map::new();
    let host = |url: &str| Url::parse(url).ok().and_then(|url| Some(url.host_str()?.to_owned()));
    let mut add = |name: String, rule: String, service: &str, guarded: bool| {
        let middlewares: &[&str] = if guarded { &["authentik"] } else { &[] };
        for (entry, tls) in [("web", None), ("websecure", Some(json!({})))] {
            let mut router = json!({ "rule": rule, "service": service, "entryPoints": [entry], "middlewares": middlewares });
            if let Some(tls) = tls {
                router["tls"] = tls;
            }
            routers.insert(format!("{name}-{entry}"), router);
        }
    };
    if let Some(host) = host(&deployment.auth.url) {
        add("auth".to_owned(), format!("Host(`{host}`)"), "authentik", false);
    }
    for (slug, service) in &deployment.services {
        let Some(host) = host(&service.url) else { continue };
        add(slug.clone(), format!("Host(`{host}`)"), "control", true);
        let outpost = format!("Host(`{host}`) && PathPrefix(`/outpost.goauthentik.io/`)");
        add(format!("{slug}-outpost"), outpost, "authentik", false);
    }
    let server = |url: &str| json!({ "loadBalancer": { "servers": [{ "url": url }] } });
    let address = format!("{upstream}/outpost.goauthentik.io/auth/traefik");
    let files = json!({ "http": {
        "routers": routers,
        "middlewares": { "authentik": { "forwardAuth": { "address": address, "authResponseHeaders": headers } } },
        "services": { "authentik": server(upstream), "control": server(&format!("http://{CONTROL}")) },
    } });
    let folder = tempfile::Builder::new().prefix("doctor-control-").tempdir()?;
    std::fs::write(folder.path().join("control.yml"), files.to_string())?;
    Ok(folder)
}

fn failed(part: &'static str, error: &dyn std::fmt::Display) -> StackError {
    StackError::Start { part, reason: error.to_string() }
}
