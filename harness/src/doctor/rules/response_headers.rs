//! DOC-H01, DOC-H04: identity headers that forward auth does not vouch for, and headers it takes from the service.

use ssoproof_deployment::traefik::{ForwardAuth, MiddlewareDefinition};

use super::Rule;
use crate::diagnoses::copies;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Proof, Shows};
use crate::doctor::subject::Subject;
use crate::infer::IDENTITY;

const UNLISTED: Code = Code {
    id: "DOC-H01",
    title: "An identity header is not in authResponseHeaders",
    diagnosis: Some("SSO-H01"),
};
const COOKIE: Code = Code {
    id: "DOC-H04",
    title: "authResponseHeaders lists `Cookie`: the service loses its own cookies",
    diagnosis: None,
};

/// Who the user is, in the first five of Authentik's headers; the rest tells about the token and the application.
const WHO: [&str; 5] = [
    "X-authentik-username",
    "X-authentik-groups",
    "X-authentik-email",
    "X-authentik-name",
    "X-authentik-uid",
];
/// What nobody is called.
const FORGED: &str = "forged-by-doctor";

pub(super) struct ResponseHeaders;

impl Rule for ResponseHeaders {
    fn codes(&self) -> &'static [&'static Code] {
        &[&UNLISTED, &COOKIE]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        for (name, definition, auth) in subject.forward_auths() {
            into.extend(unlisted(subject, name, definition, auth));
            into.extend(cookie(subject, name, definition, auth));
        }
    }
}

/// The identity headers that matter: the deployment's, or those that say who the user is.
pub(super) fn identity(subject: &Subject) -> Vec<&str> {
    match &subject.stated {
        Some(_) => subject.deployment.headers.identity.iter().map(|name| name.as_str()).collect(),
        None => WHO.to_vec(),
    }
}

fn unlisted(
    subject: &Subject,
    name: &str,
    definition: &MiddlewareDefinition,
    auth: &ForwardAuth,
) -> Option<Finding> {
    // A pattern that misses names is another finding.
    if auth.response_headers_pattern.is_some() {
        return None;
    }
    let missed: Vec<&str> = identity(subject).into_iter().filter(|header| !copies(auth, header)).collect();
    let first = *missed.first()?;
    let place = at(&definition.at.source, definition.setting("authResponseHeaders"));
    let listed: Vec<String> = missed.iter().map(|header| format!("`{header}`")).collect();
    let message = format!("middleware `{name}` does not list {}", listed.join(", "));
    let proof = match subject.through(name) {
        Some(asked) => {
            asked.header(first, FORGED).signed_in().shows(Shows::Reads(first.to_owned(), FORGED.to_owned()))
        }
        None => Proof::Static("no router of a protected host runs the middleware".to_owned()),
    };
    Some(
        Finding::new(&UNLISTED, Severity::Error, place, message, proof)
            .because(
                "Traefik takes only listed headers off the request and puts Authentik's in their place: of any other the \
                 service reads what the client has sent",
            )
            .fix(format!("add {} to authResponseHeaders", listed.join(", "))),
    )
}

fn cookie(
    subject: &Subject,
    name: &str,
    definition: &MiddlewareDefinition,
    auth: &ForwardAuth,
) -> Option<Finding> {
    if !auth.response_headers.iter().any(|header| header.eq_ignore_ascii_case("cookie")) {
        return None;
    }
    let place = at(&definition.at.source, definition.setting("authResponseHeaders"));
    let proof = match subject.through(name) {
        Some(asked) => asked.signed_in().shows(Shows::Lacks("Cookie".to_owned())),
        None => Proof::Static("no router of a protected host runs the middleware".to_owned()),
    };
    Some(
        Finding::new(&COOKIE, Severity::Error, place, format!("middleware `{name}` lists `Cookie`"), proof)
            .because("a listed header that the outpost does not send is taken off the request: no session of the service lives")
            .fix(format!("list {} and the like alone", IDENTITY[0])),
    )
}
