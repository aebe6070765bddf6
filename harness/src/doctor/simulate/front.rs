//! The gateways that requests go through: embedded ones, or the real Traefik.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use ssoproof_deployment::traefik::Profile;
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::gateway::{self, Gateway, Trusted, any_certificate};
use ssoproof_embedded::logs::Logs;

use super::real_traefik::{Plain, RealTraefik};
use super::world::PATIENCE;
use crate::doctor::subject::Subject;
use crate::stacks::{Authority, StackError, failed};

/// A running gateway. Dropping it stops it.
pub(super) enum Front {
    /// One of this process.
    Embedded(Gateway),
    /// A process of its own.
    Real(RealTraefik),
}

/// What gateways are made of.
pub(super) struct Making<'a> {
    pub(super) subject: &'a Subject,
    pub(super) authority: &'a Authority,
    /// What trusts the authority.
    pub(super) trust: Arc<ClientConfig>,
    pub(super) logs: Logs,
    /// Every host that is asked.
    pub(super) hosts: &'a [String],
}

impl Front {
    pub(super) fn http(&self) -> SocketAddr {
        match self {
            Self::Embedded(gateway) => gateway.http(),
            Self::Real(traefik) => traefik.http,
        }
    }

    pub(super) fn https(&self) -> SocketAddr {
        match self {
            Self::Embedded(gateway) => gateway.https(),
            Self::Real(traefik) => traefik.https,
        }
    }
}

impl Making<'_> {
    /// An embedded gateway on the files in `folder`, with plain settings.
    pub(super) async fn control(&self, folder: &Path, names: &Names) -> Result<Front, StackError> {
        self.start(self.settings(folder, names)?).await
    }

    /// A gateway on the files that are looked at: the embedded one with `names` for its upstreams, or the real Traefik
    /// with `servers`.
    pub(super) async fn files(&self, names: &Names, servers: &Plain) -> Result<Front, StackError> {
        if let Some(binary) = &self.subject.traefik_bin {
            return RealTraefik::start(binary, self.subject, servers).await.map(Front::Real);
        }
        let mut settings = self.settings(&self.subject.folder, names)?;
        if let Some(routing) = &self.subject.routing {
            let [http, https] = routing.entry_points();
            (settings.http, settings.https) = (http.clone(), https.clone());
        }
        let fixed = self.subject.static_config.as_ref();
        settings.trusted = fixed.map_or(Trusted::Nobody, |fixed| fixed.trusted());
        self.start(settings).await
    }

    /// A client that finds every host at `front`.
    pub(super) fn client(&self, front: &Front) -> Result<Client, StackError> {
        let names = Names::default();
        for host in self.hosts {
            names.insert(host, 80, front.http());
            names.insert(host, 443, front.https());
        }
        let trust = match front {
            Front::Embedded(_) => self.trust.clone(),
            // It shows a certificate of its own making.
            Front::Real(_) => any_certificate().map_err(|error| failed("Traefik", &error))?,
        };
        Ok(Client::new(names, trust))
    }

    async fn start(&self, settings: gateway::Settings) -> Result<Front, StackError> {
        let started = Gateway::start(settings).await;
        started.map(Front::Embedded).map_err(|error| failed("the gateway", &error))
    }

    fn settings(&self, folder: &Path, names: &Names) -> Result<gateway::Settings, StackError> {
        let server = self.authority.server()?;
        let mut settings =
            gateway::Settings::new(folder, server, names.clone(), self.trust.clone(), self.logs.clone());
        settings.watch = false;
        settings.upstream_timeout = PATIENCE;
        settings.profile = Profile::for_version(&self.subject.deployment.versions.traefik);
        Ok(settings)
    }
}
