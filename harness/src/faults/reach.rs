//! Which cases a fault could touch at all. A case that it does not touch passes as it does without a fault: every
//! difference begins with something that the case is seen to do.

use std::collections::BTreeSet;

use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::{Exchange, Fault, Link, Seam, Tampering};

use super::routes::Rerouted;
use super::trace::{Trace, hosts};
use crate::stacks::{Embedded, Stack as _};

/// How it is told whether a fault touches a case.
pub(super) enum Reach<'a> {
    /// It may touch every one.
    Every,
    /// It is behind these hosts.
    Behind(BTreeSet<String>),
    /// It changes what passes a wire.
    Wire { link: Link, tampering: &'a Tampering, deployment: &'a Deployment, apps: BTreeSet<String> },
    /// It is about OAuth2 clients with these names.
    Clients { names: &'a BTreeSet<String>, apps: BTreeSet<String> },
    /// It is about tools that write Traefik's files.
    Tools,
    /// Requests are routed otherwise.
    Routes { rerouted: Box<Rerouted>, apps: BTreeSet<String> },
}

impl<'a> Reach<'a> {
    /// That of `fault`, which `broken` has and `healthy` has not.
    pub(super) fn of(
        fault: &'a Fault,
        deployment: &'a Deployment,
        healthy: &Embedded,
        broken: &'a Embedded,
    ) -> Self {
        let (grafana, minio) = (deployment.apps.grafana.as_ref(), deployment.apps.minio.as_ref());
        let grafana = grafana.iter().map(|app| app.url.as_str());
        let minio = minio.iter().flat_map(|app| [app.url.as_str(), app.api_url.as_str()]);
        match &fault.seam {
            Seam::Grafana(_) => Self::Behind(hosts(grafana)),
            Seam::Minio(_) => Self::Behind(hosts(minio)),
            Seam::Service(_) => {
                Self::Behind(hosts(deployment.services.values().map(|service| service.url.as_str())))
            }
            Seam::Wire(link, tampering) => {
                Self::Wire { link: *link, tampering, deployment, apps: hosts(grafana.chain(minio)) }
            }
            Seam::Files(_) => {
                let rerouted = Rerouted::between(deployment, healthy.traefik_files(), broken.traefik_files());
                rerouted.map_or(Self::Every, |rerouted| Self::Routes {
                    rerouted: Box::new(rerouted),
                    apps: hosts(grafana.chain(minio)),
                })
            }
            Seam::Script(_) => Self::Tools,
            Seam::Database(_) => broken
                .changed_clients()
                .map_or(Self::Every, |names| Self::Clients { names, apps: hosts(grafana.chain(minio)) }),
            Seam::Gateway(_) | Seam::Version(_) => Self::Every,
        }
    }

    /// Whether the fault could touch the case of `trace`.
    pub(super) fn touches(&self, trace: &Trace) -> bool {
        match self {
            Self::Every => true,
            Self::Behind(hosts) => trace.dials(hosts),
            Self::Tools => trace.reads_files,
            Self::Wire { link, tampering, deployment, apps } => met(trace, apps)
                .any(|exchange| exchange.link == *link && exchange.changed_by(tampering, deployment)),
            Self::Clients { names, apps } => met(trace, apps)
                .any(|exchange| exchange.link == Link::Authentik && names_one(exchange, names)),
            Self::Routes { rerouted, apps } => {
                trace.reads_files
                    || trace.requests.iter().any(|request| rerouted.takes(request))
                    || met(trace, apps).any(|exchange| rerouted.takes_exchange(exchange))
            }
        }
    }
}

/// Whether Authentik is asked about a client with one of `names`, or by the API, which lists them all.
fn names_one(exchange: &Exchange, names: &BTreeSet<String>) -> bool {
    let uri = exchange.request.uri().to_string();
    let body = String::from_utf8_lossy(exchange.request.body());
    uri.contains("/api/v3/") && !uri.contains("/api/v3/flows/executor/")
        || names.iter().any(|name| uri.contains(name.as_str()) || body.contains(name.as_str()))
}

/// What passes wires for the case of `trace`. What passes while a stack starts is for its apps.
fn met<'a>(trace: &'a Trace, apps: &BTreeSet<String>) -> impl Iterator<Item = &'a Exchange> {
    let start = if trace.dials(apps) { trace.start.as_slice() } else { &[] };
    start.iter().chain(&trace.exchanges)
}
