//! What stands behind the gateway on which findings are tried: Authentik, and a probe in place of every server.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ssoproof_deployment::Deployment;
use ssoproof_deployment::traefik::ServiceType;
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::services::{Probe, ProbeSettings};

use super::real_traefik::Plain;
use crate::doctor::subject::Subject;
use crate::stacks::{Authority, StackError, TlsFront, failed, host_and_port};

/// The most servers that get a probe of their own; more share the last one.
const MOST_PROBES: usize = 256;
/// The server behind the control's routers.
pub(super) const CONTROL: &str = "control.invalid";
/// Authentik without TLS, whatever the files call it.
pub(super) const AUTHENTIK: &str = "authentik-itself.invalid";

/// Where nobody listens.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Places by `host:port`, with whether they are asked over TLS.
type Places = BTreeMap<(String, u16), bool>;

/// The running upstreams. Dropping it stops them.
pub(super) struct Upstreams {
    /// Where they listen.
    pub(super) names: Names,
    /// The `host:port` that each probe stands for, by the name it answers with.
    pub(super) places: BTreeMap<String, String>,
    /// The same by their places, without TLS.
    pub(super) plain: Plain,
    servers: Places,
    auth: Places,
    authority: Authority,
    probes: Vec<Probe>,
    fronts: Vec<TlsFront>,
}

impl Upstreams {
    /// Starts a probe for every server in the files, with the Authentik of `deployment` at `authentik`.
    ///
    /// # Errors
    /// [`StackError::Start`] when no loopback port can be bound.
    pub(super) async fn start(
        subject: &Subject,
        deployment: &Deployment,
        authentik: SocketAddr,
        authority: &Authority,
    ) -> Result<Self, StackError> {
        let mut upstreams = Self {
            names: Names::default(),
            places: BTreeMap::new(),
            plain: Plain::new(),
            servers: servers(subject),
            auth: place(&deployment.auth.upstream).into_iter().collect(),
            authority: authority.clone(),
            probes: Vec::new(),
            fronts: Vec::new(),
        };
        upstreams.servers.insert((CONTROL.to_owned(), 80), false);
        upstreams.servers.retain(|place, _| !upstreams.auth.contains_key(place));
        for ((host, port), tls) in upstreams.servers.clone() {
            if upstreams.probes.len() < MOST_PROBES {
                let name = format!("server-{}", upstreams.probes.len());
                let settings = ProbeSettings { name: name.clone(), ..ProbeSettings::default() };
                let probe = Probe::start(settings).await.map_err(|error| failed("a service", &error))?;
                upstreams.probes.push(probe);
                upstreams.places.insert(name, format!("{host}:{port}"));
            }
            if let Some(address) = upstreams.probes.last().map(Probe::address) {
                upstreams.plain.insert((host.clone(), port), address);
                let address = upstreams.in_front(address, tls).await?;
                upstreams.names.insert(&host, port, address);
            }
        }
        for ((host, port), tls) in upstreams.auth.clone() {
            upstreams.plain.insert((host.clone(), port), authentik);
            let address = upstreams.in_front(authentik, tls).await?;
            upstreams.names.insert(&host, port, address);
        }
        upstreams.names.insert(AUTHENTIK, 80, authentik);
        // An address stands for itself unless it is known here, and nothing outside is dialled.
        for (_, _, auth) in subject.forward_auths() {
            let asked = place(&auth.address)
                .filter(|((host, port), _)| upstreams.names.lookup(host, *port).is_some());
            if let Some(((host, port), _)) = asked
                && !upstreams.servers.contains_key(&(host.clone(), port))
                && !upstreams.auth.contains_key(&(host.clone(), port))
            {
                upstreams.names.insert(&host, port, NOBODY);
            }
        }
        Ok(upstreams)
    }

    /// The same servers, with `recorder` in place of every auth server.
    pub(super) async fn recorded(
        &mut self,
        subject: &Subject,
        recorder: SocketAddr,
    ) -> Result<Names, StackError> {
        let names = Names::default();
        for (host, port) in self.servers.keys() {
            if let Some(address) = self.names.lookup(host, *port) {
                names.insert(host, *port, address);
            }
        }
        let asked = subject.forward_auths().into_iter().filter_map(|(_, _, auth)| place(&auth.address));
        for ((host, port), tls) in self.auth.clone().into_iter().chain(asked) {
            let address = self.in_front(recorder, tls).await?;
            names.insert(&host, port, address);
        }
        Ok(names)
    }

    /// The same by their places, without TLS.
    pub(super) fn recorded_plain(&self, subject: &Subject, recorder: SocketAddr) -> Plain {
        let asked = subject.forward_auths().into_iter().filter_map(|(_, _, auth)| place(&auth.address));
        let mut plain = self.plain.clone();
        plain.extend(
            self.auth.keys().cloned().chain(asked.map(|(place, _)| place)).map(|place| (place, recorder)),
        );
        plain
    }

    /// Where a plain server is reached by those who ask it over TLS.
    async fn in_front(&mut self, plain: SocketAddr, tls: bool) -> Result<SocketAddr, StackError> {
        if !tls {
            return Ok(plain);
        }
        let front = TlsFront::start(plain, self.authority.server()?).await;
        let front = front.map_err(|error| failed("TLS in front of a server", &error))?;
        let address = front.address();
        self.fronts.push(front);
        Ok(address)
    }
}

/// The hosts that are asked over TLS.
pub(super) fn tls_hosts(subject: &Subject) -> Vec<String> {
    let asked = subject.forward_auths().into_iter().filter_map(|(_, _, auth)| place(&auth.address));
    let own = place(&subject.deployment.auth.upstream);
    let all = servers(subject).into_iter().chain(asked).chain(own);
    all.filter(|(_, tls)| *tls).map(|((host, _), _)| host).collect()
}

/// The place of every server in the files.
fn servers(subject: &Subject) -> Places {
    let services = subject.dynamic().into_iter().flat_map(|dynamic| dynamic.services.values());
    let balancers = services.flat_map(|service| &service.types).filter_map(|kind| match kind {
        ServiceType::LoadBalancer(balancer) => Some(balancer),
        ServiceType::Unmodelled(_) => None,
    });
    balancers.flat_map(|balancer| &balancer.servers).filter_map(|server| place(&server.url)).collect()
}

fn place(url: &str) -> Option<((String, u16), bool)> {
    let tls = url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
    Some((host_and_port(url)?, tls))
}
