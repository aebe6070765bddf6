//! DOC-R08: a host that is routed to another server than the deployment says.

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Asked, Shows};
use crate::doctor::subject::{Subject, is_guarded, serves};
use crate::stacks::{host_and_port, host_of};
use ssoproof_deployment::traefik::unqualified;

const OTHER: Code = Code {
    id: "DOC-R08",
    title: "A host is routed to another server than its own",
    diagnosis: Some("SSO-R09"),
};

pub(super) struct Upstream;

impl Rule for Upstream {
    fn codes(&self) -> &'static [&'static Code] {
        &[&OTHER]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let (Some(routing), Some(_)) = (&subject.routing, &subject.stated) else { return };
        let deployment = &subject.deployment;
        let services = deployment.services.values().map(|one| (&one.url, &one.upstream));
        let grafana = deployment.apps.grafana.iter().map(|app| (&app.url, &app.upstream));
        let minio = deployment.apps.minio.iter();
        let minio = minio.flat_map(|app| [(&app.url, &app.upstream), (&app.api_url, &app.api_upstream)]);
        for (url, upstream) in services.chain(grafana).chain(minio) {
            let Some(host) = host_of(url) else { continue };
            let (Some(asked), Some(wanted)) = (subject.url(&host, "/"), host_and_port(upstream)) else {
                continue;
            };
            let Some(router) = routing.winner(&asked, "GET", &Vec::new()) else { continue };
            // A router to Authentik, or one that lets everybody in, is another finding.
            let guarded = is_guarded(router) || !subject.protected().iter().any(|(known, _)| *known == host);
            if !serves(router) || subject.leads_to_authentik(router) || !guarded {
                continue;
            }
            let Some(service) = &router.service else { continue };
            let places: Vec<_> =
                service.servers.iter().filter_map(|one| host_and_port(one.url.as_str())).collect();
            let (false, Some((name, port))) = (places.contains(&wanted), places.first()) else { continue };
            let asked = Asked::get(asked);
            let asked = if is_guarded(router) { asked.signed_in() } else { asked };
            let proof = asked.shows(Shows::ServiceAt(format!("{name}:{port}")));
            let definition = &router.definition;
            let place = definition.service.as_ref().map_or(definition.at.place, |service| service.place);
            let message =
                format!("{host} is routed to {name}:{port}, and the deployment says {}", **upstream);
            into.push(
                Finding::new(&OTHER, Severity::Error, at(&definition.at.source, place), message, proof)
                    .because(
                        "users of one service are given another, with the rights that they have at the first",
                    )
                    .fix(format!(
                        "let router `{}` use the service at {}",
                        unqualified(&router.name),
                        **upstream
                    )),
            );
        }
    }
}
