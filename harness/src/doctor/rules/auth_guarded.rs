//! DOC-R16: Authentik's own host behind forward auth.

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Asked, Shows};
use crate::doctor::subject::{Subject, is_guarded};
use ssoproof_deployment::traefik::unqualified;

const GUARDED: Code =
    Code { id: "DOC-R16", title: "Authentik's own host is behind forward auth", diagnosis: Some("SSO-R07") };

pub(super) struct AuthGuarded;

impl Rule for AuthGuarded {
    fn codes(&self) -> &'static [&'static Code] {
        &[&GUARDED]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        let Some(routing) = &subject.routing else { return };
        let url = subject.auth_host().and_then(|host| subject.url(&host, "/-/health/live/"));
        let Some(url) = url else { return };
        let winner = routing.winner(&url, "GET", &Vec::new());
        let Some(router) = winner.filter(|router| is_guarded(router)) else { return };
        let definition = &router.definition;
        let place = definition.middlewares.as_ref().map_or(definition.at.place, |list| list.place);
        let name = unqualified(&router.name);
        let message = format!("router `{name}` puts Authentik's own host behind the forward auth middleware");
        let proof = Asked::get(url).shows(Shows::NotStatus(200));
        into.push(
            Finding::new(&GUARDED, Severity::Error, at(&definition.at.source, place), message, proof)
                .because("nobody can reach the login page without having signed in")
                .fix(format!("take the middleware off router `{name}`")),
        );
    }
}
