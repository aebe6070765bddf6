//! DOC-F01 to DOC-F04: the address that forward auth asks.

use ssoproof_deployment::traefik::{ForwardAuth, MiddlewareDefinition};
use url::Url;

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Proof, Shows};
use crate::doctor::subject::Subject;
use crate::stacks::host_and_port;

const NO_URL: Code =
    Code { id: "DOC-F01", title: "The address of a forward auth is no URL", diagnosis: Some("SSO-R05") };
const PUBLIC: Code =
    Code { id: "DOC-F02", title: "A forward auth asks a public address", diagnosis: Some("SSO-R05") };
const WRONG_PATH: Code = Code {
    id: "DOC-F03",
    title: "A forward auth asks another path than the outpost's",
    diagnosis: Some("SSO-R05"),
};
const ELSEWHERE: Code = Code {
    id: "DOC-F04",
    title: "A forward auth asks a host that is not Authentik",
    diagnosis: Some("SSO-I01"),
};

/// The path that the outpost has for Traefik.
const PATH: &str = "/outpost.goauthentik.io/auth/traefik";

pub(super) struct AuthAddress;

impl Rule for AuthAddress {
    fn codes(&self) -> &'static [&'static Code] {
        &[&NO_URL, &PUBLIC, &WRONG_PATH, &ELSEWHERE]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        for (name, definition, auth) in subject.forward_auths() {
            into.extend(finding(subject, name, definition, auth));
        }
    }
}

fn finding(
    subject: &Subject,
    name: &str,
    definition: &MiddlewareDefinition,
    auth: &ForwardAuth,
) -> Option<Finding> {
    let address = auth.address.as_str();
    let place = at(&definition.at.source, definition.setting("address"));
    let asked = subject.through(name);
    let made = |code, message: String, shows: Shows| {
        let proof = match asked.clone() {
            Some(asked) => asked.shows(shows),
            None => Proof::Static("no router of a protected host runs the middleware".to_owned()),
        };
        Finding::new(code, Severity::Error, place.clone(), message, proof)
    };
    let right = format!("write `{}{PATH}`", subject.deployment.auth.upstream.trim_end_matches('/'));
    let url =
        Url::parse(address).ok().filter(|url| url.host_str().is_some() && url.scheme().starts_with("http"));
    let Some(url) = url else {
        let message = format!("the address of middleware `{name}`, `{address}`, is no URL");
        let why = "Traefik shows the middleware as enabled and answers 500 to every request";
        return Some(made(&NO_URL, message, Shows::Status(500)).because(why).fix(right));
    };
    let host = url.host_str().unwrap_or_default();
    if subject.hosts().contains(host) {
        let message = format!("middleware `{name}` asks {address}, which passes this gateway again");
        let why = "Traefik takes the question for a request and writes X-Forwarded-Host anew: the outpost is asked about \
                   Authentik's host instead of the service's";
        return Some(made(&PUBLIC, message, Shows::NoLogin).because(why).fix(right));
    }
    if url.path() != PATH && !url.path().starts_with("/outpost.goauthentik.io/auth/envoy") {
        let message = format!("middleware `{name}` asks the path `{}`, not `{PATH}`", url.path());
        let why =
            "whatever answers 2xx there (`ping`, a page) lets everybody in; other answers give no login";
        return Some(made(&WRONG_PATH, message, Shows::NoLogin).because(why).fix(right));
    }
    let elsewhere = host_and_port(address) != subject.upstream() && subject.stated.is_some();
    elsewhere.then(|| {
        let message = format!("middleware `{name}` asks {}, and Authentik is {}", url.authority(), *subject.deployment.auth.upstream);
        let why = "a name that the gateway cannot resolve gives 500 to every request, and the middleware stays enabled";
        made(&ELSEWHERE, message, Shows::Status(500)).because(why).fix(right)
    })
}
