//! DOC-R01, DOC-R05, DOC-R06: routers that let requests for a protected host through without asking.

use std::collections::BTreeSet;

use ssoproof_deployment::Place;
use ssoproof_deployment::traefik::{RequestFacts, Router, unqualified};

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Asked, Proof, Shows};
use crate::doctor::subject::{Subject, is_guarded};

const OPEN: Code = Code {
    id: "DOC-R01",
    title: "A router of a protected host lacks the forward auth middleware",
    diagnosis: Some("SSO-R03"),
};
const AROUND: Code = Code {
    id: "DOC-R05",
    title: "A longer rule or a higher priority leads around the forward auth middleware",
    diagnosis: Some("SSO-R03"),
};
const TIE: Code = Code {
    id: "DOC-R06",
    title: "Two routers of equal priority, one of them without the middleware: chance decides",
    diagnosis: Some("SSO-R03"),
};

/// Why a tie cannot be tried: a real Traefik 3.6.7 took the one in three of eight starts, the other in five.
pub(super) const BY_CHANCE: &str = "Traefik decides between equal priorities anew at every start; the embedded gateway \
                                    always takes the first name";

pub(super) struct OpenRouter;

impl Rule for OpenRouter {
    fn codes(&self) -> &'static [&'static Code] {
        &[&OPEN, &AROUND, &TIE]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(routing) = &subject.routing else { return };
        let mut told = BTreeSet::new();
        for (host, _) in subject.protected() {
            for secure in [true, false] {
                for router in routing.of_host(&host, secure) {
                    if !subject.is_open(router) || told.contains(&router.name) {
                        continue;
                    }
                    let found = match subject.won_by(router, &host, secure) {
                        Some(asked) => {
                            let beaten = beaten(subject, router, &host, secure, &asked);
                            Some(finding(subject, router, &host, asked.shows(Shows::Service), beaten))
                        }
                        // It may win after the next start.
                        None => tied(subject, router, &host, secure).map(|other| {
                            finding(subject, router, &host, Proof::Static(BY_CHANCE.to_owned()), Some(other))
                        }),
                    };
                    if let Some(found) = found {
                        told.insert(router.name.clone());
                        into.push(found);
                    }
                }
            }
        }
    }
}

/// The guarded router that takes a request of `router` by its name alone.
fn tied<'s>(subject: &'s Subject, router: &Router, host: &str, secure: bool) -> Option<&'s Router> {
    let routing = subject.routing.as_ref()?;
    let rule = router.rule.as_ref()?;
    let witnesses = rule.witnesses(Some(host));
    let asked = witnesses.iter().filter_map(|witness| Asked::of(witness, secure));
    let mut winners = asked.filter_map(|asked| routing.winner(&asked.url, &asked.method, &asked.headers));
    winners.find(|winner| winner.priority == router.priority && is_guarded(winner))
}

/// The guarded router that would have the request if `router` were not there.
fn beaten<'s>(
    subject: &'s Subject,
    router: &Router,
    host: &str,
    secure: bool,
    asked: &Asked,
) -> Option<&'s Router> {
    let routing = subject.routing.as_ref()?;
    let query = asked.url.query().unwrap_or_default();
    let facts = RequestFacts {
        query,
        method: &asked.method,
        headers: &asked.headers,
        ..RequestFacts::get(host, asked.url.path())
    };
    let others = routing.of_host(host, secure).into_iter().filter(|other| other.name != router.name);
    let mut others = others.filter(|other| other.rule.as_ref().is_some_and(|rule| rule.matches(&facts)));
    others.next().filter(|other| is_guarded(other))
}

fn finding(subject: &Subject, router: &Router, host: &str, proof: Proof, beaten: Option<&Router>) -> Finding {
    let definition = &router.definition;
    let bare = unqualified(&router.name);
    let middleware = unqualified(&subject.deployment.traefik.middleware);
    let rule_place = definition.rule.as_ref().map_or(definition.at.place, |rule| rule.place);
    let list: Option<Place> = definition.middlewares.as_ref().map(|list| list.place);
    let lacks = match (&definition.middlewares, beaten) {
        (Some(list), _) if list.is_empty() => "has an empty list of middlewares",
        (Some(_), _) => "runs no forward auth",
        (None, _) => "has no middlewares",
    };
    let made = |code, place, message: String| {
        Finding::new(code, Severity::Error, at(&definition.at.source, place), message, proof.clone())
    };
    let finding = match beaten {
        None => {
            let message = format!("router `{bare}` of the protected host {host} {lacks}");
            made(&OPEN, list.unwrap_or(definition.at.place), message)
        }
        Some(other) if other.priority == router.priority => {
            let message = format!(
                "router `{bare}` {lacks} and has the same priority {} as `{}`: nothing says which of the two wins",
                router.priority.unwrap_or_default(),
                unqualified(&other.name),
            );
            made(&TIE, rule_place, message)
        }
        Some(other) => {
            let message = format!(
                "router `{bare}` {lacks} and goes before `{}` ({} to {}): its requests reach {host} unasked",
                unqualified(&other.name),
                router.priority.unwrap_or_default(),
                other.priority.unwrap_or_default(),
            );
            made(&AROUND, rule_place, message)
        }
    };
    finding
        .because(
            "whoever sends such a request reaches the service without a login, and every identity header of theirs is \
             believed",
        )
        .fix(format!("add `middlewares: [{middleware}@file]` to router `{bare}`"))
}
