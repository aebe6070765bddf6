//! DOC-R09: routers without a host that lead to a service.

use ssoproof_deployment::traefik::{Router, unqualified};

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::Shows;
use crate::doctor::subject::Subject;
use crate::stacks::host_and_port;

const ANY_HOST: Code = Code {
    id: "DOC-R09",
    title: "A catch-all router without the middleware leads to a service",
    diagnosis: Some("SSO-R03"),
};

/// A host that nobody has.
const NOBODYS: &str = "any-host.invalid";

pub(super) struct CatchAll;

impl Rule for CatchAll {
    fn codes(&self) -> &'static [&'static Code] {
        &[&ANY_HOST]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(routing) = &subject.routing else { return };
        let told: Vec<String> = into
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .filter_map(|finding| finding.at.as_ref().map(|at| at.to_string()))
            .collect();
        for secure in [true, false] {
            for router in routing.of_host(NOBODYS, secure) {
                if !subject.is_open(router) {
                    continue;
                }
                let definition = &router.definition;
                let place = definition.rule.as_ref().map_or(definition.at.place, |rule| rule.place);
                let place = at(&definition.at.source, place);
                let Some(asked) = subject.won_by(router, NOBODYS, secure) else { continue };
                if told.contains(&place.to_string()) || told.contains(&definition.at.to_string()) {
                    continue;
                }
                let bare = unqualified(&router.name);
                let shared = shares(subject, router);
                let (severity, what) = match &shared {
                    Some(host) => (Severity::Error, format!("the service of the protected host {host}")),
                    None => (Severity::Warning, "a service".to_owned()),
                };
                let message = format!("router `{bare}` takes every host and leads to {what} without asking");
                into.push(
                    Finding::new(&ANY_HOST, severity, place, message, asked.shows(Shows::Service))
                        .because(
                            "any host name reaches it, and so do the requests of every router that is disabled, by a \
                             misspelt middleware for example",
                        )
                        .fix(format!("give `{bare}` a host, the middleware, or `noop@internal` as service")),
                );
            }
        }
    }
}

/// A protected host that is served by one of the router's servers.
fn shares(subject: &Subject, router: &Router) -> Option<String> {
    let servers = &router.service.as_ref()?.servers;
    let own: Vec<_> = servers.iter().filter_map(|server| host_and_port(server.url.as_str())).collect();
    let services = subject.protected().into_iter();
    let mut shared = services.filter(|(_, slug)| {
        let service = subject.deployment.services.get(*slug);
        service.and_then(|service| host_and_port(&service.upstream)).is_some_and(|place| own.contains(&place))
    });
    shared.next().map(|(host, _)| host)
}
