//! DOC-T03: names that two files define.

use ssoproof_deployment::traefik::{Duplicate, unqualified};

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity};
use crate::doctor::proof::{Proof, Shows};
use crate::doctor::subject::{Subject, is_guarded, serves};
use crate::infer::hosts_of;
use crate::stacks::host_and_port;

const TWICE: Code =
    Code { id: "DOC-T03", title: "A name is defined in two files: the first file counts", diagnosis: None };

pub(super) struct Defined;

impl Rule for Defined {
    fn codes(&self) -> &'static [&'static Code] {
        &[&TWICE]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(dynamic) = subject.dynamic() else { return };
        for twice in &dynamic.duplicates {
            let Duplicate { kind, name, kept, skipped } = twice;
            let message = format!("{kind} `{name}` is defined at {kept} too, and that one counts");
            let finding =
                Finding::new(&TWICE, Severity::Warning, skipped.clone(), message, proof(subject, twice));
            into.push(
                finding
                    .because(
                        "files are read in the order of their names and later definitions of a name are dropped; \
                         Traefik's API shows nothing of it",
                    )
                    .fix(format!("take one of the two out, or call it by another name than `{name}`")),
            );
        }
    }
}

/// What the definition that counts does.
fn proof(subject: &Subject, twice: &Duplicate) -> Proof {
    let unseen = || Proof::Static("no request tells the two apart".to_owned());
    let Some(routing) = &subject.routing else { return unseen() };
    let config = routing.config();
    let asked = |router: &ssoproof_deployment::traefik::Router| {
        let hosts = hosts_of(&router.definition);
        let mut asked =
            hosts.iter().flat_map(|host| [true, false].map(|secure| subject.won_by(router, host, secure)));
        asked.find_map(|asked| asked)
    };
    match twice.kind {
        "router" => {
            let Some(router) = config.router(&twice.name) else { return unseen() };
            let Some(asked) = asked(router) else { return unseen() };
            if is_guarded(router) {
                return asked.shows(Shows::Login);
            }
            match router.service.as_ref().and_then(|service| service.servers.first()) {
                Some(server) if serves(router) && !subject.leads_to_authentik(router) => {
                    match host_and_port(server.url.as_str()) {
                        Some((host, port)) => asked.shows(Shows::ServiceAt(format!("{host}:{port}"))),
                        None => unseen(),
                    }
                }
                _ => unseen(),
            }
        }
        "service" => {
            let using = config.routers.iter().filter(|router| {
                let service = router.service.as_ref();
                service.is_some_and(|service| unqualified(&service.name) == twice.name)
            });
            let mut using = using.filter(|router| serves(router) && !subject.leads_to_authentik(router));
            let found = using.find_map(|router| {
                let server = router.service.as_ref()?.servers.first()?;
                let (host, port) = host_and_port(server.url.as_str())?;
                let asked = asked(router)?;
                let asked = if is_guarded(router) { asked.signed_in() } else { asked };
                Some(asked.shows(Shows::ServiceAt(format!("{host}:{port}"))))
            });
            found.unwrap_or_else(unseen)
        }
        _ => unseen(),
    }
}
