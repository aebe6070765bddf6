//! DOC-R07: a promised host that no router takes.

use ssoproof_deployment::traefik::Status;

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::proof::{Asked, Shows};
use crate::doctor::subject::Subject;
use crate::infer::hosts_of;
use crate::stacks::host_of;

const NONE: Code = Code { id: "DOC-R07", title: "No router takes a host", diagnosis: Some("SSO-R08") };

pub(super) struct NoRouter;

impl Rule for NoRouter {
    fn codes(&self) -> &'static [&'static Code] {
        &[&NONE]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let (Some(routing), Some(_)) = (&subject.routing, &subject.stated) else { return };
        let deployment = &subject.deployment;
        let services = deployment.services.values().map(|service| &service.url);
        let grafana = deployment.apps.grafana.iter().map(|app| &app.url);
        let minio = deployment.apps.minio.iter().flat_map(|app| [&app.url, &app.api_url]);
        for url in std::iter::once(&deployment.auth.url).chain(services).chain(grafana).chain(minio) {
            let Some(host) = host_of(url) else { continue };
            let Some(asked) = subject.url(&host, "/") else { continue };
            // A router that names the host and is disabled is another finding.
            let mut disabled =
                routing.config().routers.iter().filter(|router| router.status != Status::Enabled);
            let named = disabled.any(|router| hosts_of(&router.definition).contains(&host));
            if named || routing.winner(&asked, "GET", &Vec::new()).is_some() {
                continue;
            }
            let proof = Asked::get(asked).shows(Shows::Status(404));
            let message = format!("no router takes {host}");
            into.push(
                Finding::new(&NONE, Severity::Error, subject.stated_at(url.place), message, proof)
                    .because("Traefik answers 404 to a host that no rule names")
                    .fix(format!("add a router with the rule `` Host(`{host}`) ``")),
            );
        }
    }
}
