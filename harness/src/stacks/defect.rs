//! A fault in an embedded stack: each seam, where the stack is put together.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use ssoproof_deployment::Deployment;
use ssoproof_embedded::authentik::{Authentik, Profile};
use ssoproof_embedded::faults::{Fault, Files, Link, Script, Seam, Switch, Tap, Wire};
use ssoproof_embedded::gateway;
use ssoproof_embedded::grafana;
use ssoproof_embedded::minio;
use ssoproof_embedded::services::ProbeSettings;

use super::StackError;
use super::parts::{Parts, failed, host_and_port};
use super::tls_front::TlsFront;

/// The fault of a stack, when it has one.
#[derive(Clone, Copy, Default)]
pub(super) struct Defect(Option<&'static Fault>);

impl Defect {
    pub(super) fn of(fault: Option<&'static Fault>) -> Self {
        Self(fault)
    }

    fn seam(self) -> Option<&'static Seam> {
        self.0.map(|fault| &fault.seam)
    }

    /// Nothing was there to break.
    fn missed(self) -> StackError {
        StackError::Fault { name: self.0.map(|fault| fault.name).unwrap_or_default() }
    }

    /// The behaviour of the version.
    pub(super) fn in_version(self, mut profile: Profile) -> Profile {
        if let Some(Seam::Version(_, change)) = self.seam() {
            change(&mut profile);
        }
        profile
    }

    /// What has been set up in `authentik`. Returns words that requests which it is about say, where it is about
    /// some requests only.
    pub(super) fn in_database(
        self,
        authentik: &Authentik,
        deployment: &Deployment,
    ) -> Result<Option<BTreeSet<String>>, StackError> {
        let Some(Seam::Database(change)) = self.seam() else { return Ok(None) };
        authentik.edit(|state| {
            let before = state.clone();
            let found = change(state, deployment);
            if found { Ok(state.changed_words(&before)) } else { Err(self.missed()) }
        })
    }

    /// The Traefik files in `folder`.
    pub(super) fn in_files(self, folder: &Path, deployment: &Deployment) -> Result<(), StackError> {
        let Some(Seam::Files(change)) = self.seam() else { return Ok(()) };
        let mut files = Files::read(folder).map_err(|error| failed("the gateway", &error))?;
        if !change(&mut files, deployment) {
            return Err(self.missed());
        }
        files.write().map_err(|error| failed("the gateway", &error))
    }

    /// Traefik's static configuration.
    pub(super) fn in_gateway(self, settings: &mut gateway::Settings) {
        match self.seam() {
            Some(Seam::Unwatched) => settings.watch = false,
            Some(Seam::Trust(trusted)) => settings.trusted = trusted.clone(),
            _ => {}
        }
    }

    /// What runs in the patcher's place.
    pub(super) fn script(self) -> Option<Script> {
        match self.seam() {
            Some(Seam::Script(script)) => Some(*script),
            _ => None,
        }
    }

    pub(super) fn in_grafana(self, settings: &mut grafana::Settings) {
        if let Some(Seam::Grafana(change)) = self.seam() {
            change(settings);
        }
    }

    pub(super) fn in_minio(self, settings: &mut minio::Settings) {
        if let Some(Seam::Minio(change)) = self.seam() {
            change(settings);
        }
    }

    pub(super) fn in_service(self, settings: &mut ProbeSettings) {
        if let Some(Seam::Service(change)) = self.seam() {
            change(settings);
        }
    }
}

/// The wires between parts: where the stack's own fault is, and everywhere when they are tapped. Dropping them cuts every
/// connection.
pub(super) struct Wires {
    laid: Vec<Wire>,
    /// What is reached by way of one.
    links: Vec<Link>,
    /// TLS in front of those to services that speak it.
    fronts: Vec<TlsFront>,
    tap: Tap,
}

impl Wires {
    pub(super) fn new(tap: Tap) -> Self {
        Self { laid: Vec::new(), links: Vec::new(), fronts: Vec::new(), tap }
    }

    /// Whether `fault` has a wire to lie on, if it lies on one.
    pub(super) fn carries(&self, fault: &Fault) -> bool {
        match &fault.seam {
            Seam::Wire(link, _) => self.links.contains(link),
            _ => true,
        }
    }

    /// What says which fault they have, where one may come and go.
    pub(super) fn switch(&self) -> Option<&Switch> {
        self.tap.switch.as_ref()
    }

    /// Where `link` is reached: at `address`, or at a wire to it.
    pub(super) async fn lay(
        &mut self,
        defect: &Defect,
        link: Link,
        address: SocketAddr,
        deployment: &Arc<Deployment>,
    ) -> Result<SocketAddr, StackError> {
        let address = match defect.seam() {
            Some(Seam::Wire(at, tampering)) if *at == link => {
                self.keep(link, Wire::start(address, *tampering, deployment.clone()).await)?
            }
            _ => address,
        };
        if self.tap.recorder.is_none() && self.tap.switch.is_none() {
            return Ok(address);
        }
        self.keep(link, Wire::tapped(address, link, self.tap.clone(), deployment.clone()).await)
    }

    fn keep(&mut self, link: Link, wire: io::Result<Wire>) -> Result<SocketAddr, StackError> {
        let wire = wire.map_err(|error| failed("a wire", &error))?;
        let address = wire.address();
        self.laid.push(wire);
        self.links.push(link);
        Ok(address)
    }

    /// Lays wires to the parts that the harness serves. Those to services that speak TLS lie behind it, where `server` has
    /// the certificate that they show.
    pub(super) async fn lay_to_parts(
        &mut self,
        defect: &Defect,
        parts: &mut Parts,
        deployment: &Arc<Deployment>,
        server: &Arc<ServerConfig>,
    ) -> Result<(), StackError> {
        let (grafana, minio) = (&deployment.apps.grafana, &deployment.apps.minio);
        let services = deployment.services.values().map(|service| (Link::Services, &service.upstream));
        let grafana = grafana.iter().map(|app| (Link::Grafana, &app.upstream));
        let api = minio.iter().map(|app| (Link::MinioApi, &app.api_upstream));
        let console = minio.iter().map(|app| (Link::MinioConsole, &app.upstream));
        for (link, upstream) in services.chain(grafana).chain(api).chain(console) {
            let Some(place) = host_and_port(upstream) else { continue };
            let Some(address) = parts.upstreams.get(&place).copied() else { continue };
            let plain = parts.behind_tls(&place).unwrap_or(address);
            let laid = self.lay(defect, link, plain, deployment).await?;
            if laid == plain {
                continue;
            }
            let address = if plain == address { laid } else { self.front(laid, server).await? };
            parts.upstreams.insert(place, address);
        }
        Ok(())
    }

    /// TLS in front of `wire`.
    async fn front(
        &mut self,
        wire: SocketAddr,
        server: &Arc<ServerConfig>,
    ) -> Result<SocketAddr, StackError> {
        let front = TlsFront::start(wire, server.clone()).await;
        let front = front.map_err(|error| failed("a service", &error))?;
        let address = front.address();
        self.fronts.push(front);
        Ok(address)
    }
}
