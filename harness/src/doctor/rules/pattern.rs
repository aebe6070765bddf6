//! DOC-H02, DOC-H03: authResponseHeadersRegex.

use regex::Regex;
use ssoproof_deployment::traefik::canonical_header;

use super::Rule;
use super::response_headers::identity;
use crate::diagnoses::copies;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Proof, Shows};
use crate::doctor::subject::Subject;

const NO_MATCH: Code = Code {
    id: "DOC-H02",
    title: "authResponseHeadersRegex does not match the canonical names of identity headers",
    diagnosis: Some("SSO-H03"),
};
const EATS: Code = Code {
    id: "DOC-H03",
    title: "authResponseHeadersRegex takes X-Forwarded-* off the request",
    diagnosis: Some("SSO-H03"),
};

const FORGED: &str = "forged-by-doctor";
const FORWARDED: [&str; 3] = ["X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For"];

pub(super) struct Pattern;

impl Rule for Pattern {
    fn codes(&self) -> &'static [&'static Code] {
        &[&NO_MATCH, &EATS]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        for (name, definition, auth) in subject.forward_auths() {
            let Some(text) = &auth.response_headers_pattern else { continue };
            // One that does not compile disables the middleware, and with it the routers.
            let Ok(pattern) = Regex::new(text) else { continue };
            let place = at(&definition.at.source, definition.setting("authResponseHeadersRegex"));
            let proof = |header: Option<&str>, shows: Shows| match subject.through(name) {
                Some(asked) => {
                    let asked = header
                        .into_iter()
                        .fold(asked.signed_in(), |asked, header| asked.header(header, FORGED));
                    asked.shows(shows)
                }
                None => Proof::Static("no router of a protected host runs the middleware".to_owned()),
            };
            if let Some(missed) = identity(subject).into_iter().find(|header| !copies(auth, header)) {
                let shows = Shows::Reads(missed.to_owned(), FORGED.to_owned());
                let message = format!("`{text}` does not match `{}`", canonical_header(missed));
                into.push(
                    Finding::new(&NO_MATCH, Severity::Error, place.clone(), message, proof(Some(missed), shows))
                        .because(
                            "the pattern sees canonical names, and case counts: what it does not match the service reads \
                             as the client has sent it, and never gets from Authentik",
                        )
                        .fix("write `^X-Authentik-`, or list the headers in authResponseHeaders"),
                );
            }
            if let Some(eaten) = FORWARDED.into_iter().find(|header| pattern.is_match(header)) {
                let message = format!("`{text}` matches `{eaten}` too");
                into.push(
                    Finding::new(
                        &EATS,
                        Severity::Error,
                        place,
                        message,
                        proof(None, Shows::Lacks(eaten.to_owned())),
                    )
                    .because(
                        "what the pattern matches and the outpost does not send is taken off the request",
                    )
                    .fix("write `^X-Authentik-`"),
                );
            }
        }
    }
}
