//! Which cases a fault could touch at all. A case that it does not touch passes as it does without a fault: every
//! difference begins with something that the case is seen to do.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::{Exchange, Fault, Link, Seam, Tampering};

use super::routes::Rerouted;
use super::trace::{Passed, Trace};
use crate::evidence::PROBE;
use crate::stacks::{Embedded, Stack as _, host_of, probe_settings};

/// How the names of headers begin that tell which way a request came.
const FORWARDING: [&str; 3] = ["x-forwarded", "x-real", "forwarded"];

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
    /// One of these services is reached.
    Reaches(BTreeSet<String>),
    /// Something passes the wire that the fault changes.
    Wire(Link, &'a Tampering),
    /// Authentik is asked with one of these words.
    Words(Cow<'a, BTreeSet<String>>),
    /// It is about tools that write Traefik's files.
    Tools,
    /// A browser tells which way its request came.
    Tells,
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
            Seam::Service(change) => {
                let changed = deployment.services.iter().filter(|(slug, service)| {
                    let healthy = probe_settings(slug, service);
                    let mut broken = healthy.clone();
                    change(&mut broken);
                    broken != healthy
                });
                Touched::Reaches(changed.map(|(slug, _)| slug.clone()).collect())
            }
            Seam::Wire(link, tampering) => Touched::Wire(*link, tampering),
            Seam::Files(_) => {
                let rerouted = Rerouted::between(deployment, healthy.traefik_files(), broken.traefik_files());
                rerouted.map_or(Touched::Every, |rerouted| Touched::Routes(Box::new(rerouted)))
            }
            Seam::Script(_) | Seam::Unwatched => Touched::Tools,
            Seam::Trust(_) => Touched::Tells,
            Seam::Database(_) => {
                let words = broken.changed_words();
                words.map_or(Touched::Every, |words| Touched::Words(Cow::Borrowed(words)))
            }
            Seam::Version(words, _) => {
                Touched::Words(Cow::Owned(words.iter().map(ToString::to_string).collect()))
            }
        };
        Self { deployment, apps, touched }
    }

    /// Whether the fault could touch the case of `trace`.
    pub(super) fn touches(&self, trace: &Trace) -> bool {
        match &self.touched {
            Touched::Every => true,
            Touched::Dials(hosts) => trace.dials(hosts),
            Touched::Reaches(services) => self.met(trace).any(|exchange| {
                let told = exchange.answer.headers().get(PROBE);
                // One that does not tell its name may be any.
                let named = told.and_then(|name| name.to_str().ok()).map(|name| services.contains(name));
                exchange.link == Link::Services && named.unwrap_or(true)
            }),
            Touched::Tools => trace.reads_files,
            Touched::Tells => trace.requests.iter().any(|request| {
                let mut names = request.headers.iter().map(|(name, _)| String::from_utf8_lossy(name));
                names.any(|name| {
                    // Some write `X_Forwarded_For`, which stands for the same where names are folded.
                    let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
                    FORWARDING.iter().any(|way| name.starts_with(way))
                })
            }),
            Touched::Wire(link, tampering) => self
                .met(trace)
                .any(|exchange| exchange.link == *link && exchange.changed_by(tampering, self.deployment)),
            Touched::Words(words) => self.passed(trace).any(|passed| passed.says_one(words)),
            Touched::Routes(rerouted) => {
                trace.reads_files
                    || trace.requests.iter().any(|request| rerouted.takes(request))
                    || self.met(trace).any(|exchange| rerouted.takes_exchange(exchange))
            }
        }
    }

    /// What passes wires for the case of `trace`.
    fn met<'t>(&self, trace: &'t Trace) -> impl Iterator<Item = &'t Exchange> {
        self.passed(trace).flat_map(|passed| &passed.exchanges)
    }

    /// The same, in one part or two. What passes while a stack starts is for its apps.
    fn passed<'t>(&self, trace: &'t Trace) -> impl Iterator<Item = &'t Passed> {
        let start = trace.dials(&self.apps).then(|| trace.start.as_ref());
        start.into_iter().chain([&trace.after])
    }
}

/// The host of each of `urls`.
fn hosts<'a>(urls: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    urls.into_iter().filter_map(host_of).collect()
}
