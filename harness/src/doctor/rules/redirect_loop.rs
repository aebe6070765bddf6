//! DOC-R18: redirects of Traefik's that lead back to themselves.

use std::collections::BTreeSet;

use ssoproof_deployment::traefik::{Action, Router, unqualified};

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Asked, Shows};
use crate::doctor::redirects;
use crate::doctor::subject::Subject;

const ENDLESS: Code =
    Code { id: "DOC-R18", title: "A redirect leads back to itself", diagnosis: Some("SSO-R10") };

pub(super) struct RedirectLoop;

impl Rule for RedirectLoop {
    fn codes(&self) -> &'static [&'static Code] {
        &[&ENDLESS]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(routing) = &subject.routing else { return };
        let mut told = BTreeSet::new();
        for host in subject.hosts() {
            for secure in [true, false] {
                for router in routing.of_host(&host, secure) {
                    let asked = subject.all_won_by(router, &host, secure).into_iter();
                    let endless = |asked: &Asked| redirects::endless(routing, &asked.url);
                    let Some(asked) = asked.filter(|asked| asked.method == "GET").find(endless) else {
                        continue;
                    };
                    let Some(to) = redirects::target(router, &asked.url) else { continue };
                    if !told.insert(router.name.clone()) {
                        continue;
                    }
                    let definition = &router.definition;
                    let place =
                        definition.middlewares.as_ref().map_or(definition.at.place, |list| list.place);
                    let name = unqualified(&router.name);
                    let message = format!("router `{name}` redirects {} without end", asked.url);
                    let asked = if asks_first(router) { asked.signed_in() } else { asked };
                    let proof = asked.shows(Shows::RedirectTo(to));
                    into.push(
                        Finding::new(&ENDLESS, Severity::Error, at(&definition.at.source, place), message, proof)
                            .because("browsers give up with \"too many redirects\"")
                            .fix(
                                "set no `X-Forwarded-Proto` before a redirect to https, and let a pattern match no URL \
                                 that it leads to",
                            ),
                    );
                }
            }
        }
    }
}

/// Whether the router asks for a login before it redirects.
fn asks_first(router: &Router) -> bool {
    let first = router.steps.iter().find(|step| {
        matches!(
            step.action,
            Action::ForwardAuth { .. } | Action::RedirectScheme(_) | Action::RedirectRegex { .. }
        )
    });
    first.is_some_and(|step| matches!(step.action, Action::ForwardAuth { .. }))
}
