//! Which cases a fault could touch at all. A case that it does not touch passes as it does without a fault: every
//! difference begins with something that the case is seen to do.

use std::collections::BTreeSet;

use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::{Exchange, Fault, Link, Seam, Tampering};

use super::routes::Rerouted;
use super::trace::Trace;
use crate::stacks::{Embedded, Stack as _, host_of};

/// How far a fault reaches.
pub(super) struct Reach<'a> {
    deployment: &'a Deployment,
    /// The hosts of Grafana and MinIO.
    apps: BTreeSet<String>,
    touched: Touched<'a>,
}

/// What a case does that a fault touches.
enum Touched<'a> {
    /// It may touch every one.
    Every,
    /// Its browsers dial one of these hosts.
    Dials(BTreeSet<String>),
    /// Something passes the wire that the fault changes.
    Wire(Link, &'a Tampering),
    /// Authentik is asked about an OAuth2 client with one of these names.
    Clients(&'a BTreeSet<String>),
    /// It is about tools that write Traefik's files.
    Tools,
    /// A request is routed otherwise.
    Routes(Box<Rerouted>),
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
        let grafana = hosts(grafana.iter().map(|app| app.url.as_str()));
        let minio = hosts(minio.iter().flat_map(|app| [app.url.as_str(), app.api_url.as_str()]));
        let apps = grafana.union(&minio).cloned().collect();
        let touched = match &fault.seam {
            Seam::Grafana(_) => Touched::Dials(grafana),
            Seam::Minio(_) => Touched::Dials(minio),
            Seam::Service(_) => {
                Touched::Dials(hosts(deployment.services.values().map(|service| service.url.as_str())))
            }
            Seam::Wire(link, tampering) => Touched::Wire(*link, tampering),
            Seam::Files(_) => {
                let rerouted = Rerouted::between(deployment, healthy.traefik_files(), broken.traefik_files());
                rerouted.map_or(Touched::Every, |rerouted| Touched::Routes(Box::new(rerouted)))
            }
            Seam::Script(_) => Touched::Tools,
            Seam::Database(_) => broken.changed_clients().map_or(Touched::Every, Touched::Clients),
            Seam::Gateway(_) | Seam::Version(_) => Touched::Every,
        };
        Self { deployment, apps, touched }
    }

    /// Whether the fault could touch the case of `trace`.
    pub(super) fn touches(&self, trace: &Trace) -> bool {
        match &self.touched {
            Touched::Every => true,
            Touched::Dials(hosts) => trace.dials(hosts),
            Touched::Tools => trace.reads_files,
            Touched::Wire(link, tampering) => self
                .met(trace)
                .any(|exchange| exchange.link == *link && exchange.changed_by(tampering, self.deployment)),
            Touched::Clients(names) => {
                self.met(trace).any(|exchange| exchange.link == Link::Authentik && names_one(exchange, names))
            }
            Touched::Routes(rerouted) => {
                trace.reads_files
                    || trace.requests.iter().any(|request| rerouted.takes(request))
                    || self.met(trace).any(|exchange| rerouted.takes_exchange(exchange))
            }
        }
    }

    /// What passes wires for the case of `trace`. What passes while a stack starts is for its apps.
    fn met<'t>(&self, trace: &'t Trace) -> impl Iterator<Item = &'t Exchange> {
        let start = if trace.dials(&self.apps) { trace.start.as_slice() } else { &[] };
        start.iter().chain(&trace.exchanges)
    }
}

/// The host of each of `urls`.
fn hosts<'a>(urls: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    urls.into_iter().filter_map(host_of).collect()
}

/// Whether Authentik is asked about a client with one of `names`, or by the API, which lists them all.
fn names_one(exchange: &Exchange, names: &BTreeSet<String>) -> bool {
    let uri = exchange.request.uri().to_string();
    let body = String::from_utf8_lossy(exchange.request.body());
    uri.contains("/api/v3/") && !uri.contains("/api/v3/flows/executor/")
        || names.iter().any(|name| uri.contains(name.as_str()) || body.contains(name.as_str()))
}
