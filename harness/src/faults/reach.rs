//! Which cases a fault could touch at all: those that dial a host behind which it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ssoproof_deployment::Deployment;
use ssoproof_embedded::faults::{Fault, Link, Seam};
use url::Url;

use crate::runner::CaseOutcome;
use crate::scenario::Case;

/// The hosts that each case dials on a stack without a fault, by the case's id.
#[derive(Debug, Default)]
pub(super) struct Dialled(BTreeMap<String, BTreeSet<String>>);

impl Dialled {
    pub(super) fn take(&mut self, outcome: &CaseOutcome) {
        let hosts =
            outcome.ledger.hops.iter().filter_map(|hop| hop.request.url.host_str().map(str::to_owned));
        self.0.insert(outcome.case.id.clone(), hosts.collect());
    }

    /// Whether `case` ran.
    pub(super) fn ran(&self, case: &Case) -> bool {
        self.0.contains_key(&case.id)
    }

    /// The cases among `cases` that `fault` could touch.
    pub(super) fn within(
        &self,
        cases: &[Arc<Case>],
        fault: &Fault,
        deployment: &Deployment,
    ) -> Vec<Arc<Case>> {
        let behind = hosts(fault, deployment);
        let touches = |case: &&Arc<Case>| match (&behind, self.0.get(&case.id)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(behind), Some(dialled)) => !behind.is_disjoint(dialled),
        };
        cases.iter().filter(touches).cloned().collect()
    }
}

/// The hosts behind which `fault` is; none where that is every host.
fn hosts(fault: &Fault, deployment: &Deployment) -> Option<BTreeSet<String>> {
    let (grafana, minio) = (deployment.apps.grafana.as_ref(), deployment.apps.minio.as_ref());
    let urls: Vec<&str> = match &fault.seam {
        Seam::Grafana(_) | Seam::Wire(Link::Grafana, _) => {
            grafana.iter().map(|app| app.url.as_str()).collect()
        }
        Seam::Minio(_) => minio.iter().flat_map(|app| [app.url.as_str(), app.api_url.as_str()]).collect(),
        Seam::Wire(Link::MinioApi, _) => minio.iter().map(|app| app.api_url.as_str()).collect(),
        Seam::Wire(Link::MinioConsole, _) => minio.iter().map(|app| app.url.as_str()).collect(),
        Seam::Service(_) | Seam::Wire(Link::Services, _) => {
            deployment.services.values().map(|service| service.url.as_str()).collect()
        }
        Seam::Files(_)
        | Seam::Gateway(_)
        | Seam::Database(_)
        | Seam::Version(_)
        | Seam::Wire(Link::Authentik, _) => {
            return None;
        }
    };
    let host = |url: &str| Some(Url::parse(url).ok()?.host_str()?.to_owned());
    Some(urls.into_iter().filter_map(host).collect())
}
