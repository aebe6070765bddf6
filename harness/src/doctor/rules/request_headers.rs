//! DOC-F05: authRequestHeaders without the cookie.

use super::Rule;
use crate::doctor::finding::{Code, Finding, Severity, at};
use crate::doctor::proof::{Proof, Shows};
use crate::doctor::subject::Subject;

const NO_COOKIE: Code = Code {
    id: "DOC-F05",
    title: "authRequestHeaders leaves the cookie out: nobody is ever signed in",
    diagnosis: Some("SSO-S01"),
};

pub(super) struct RequestHeaders;

impl Rule for RequestHeaders {
    fn codes(&self) -> &'static [&'static Code] {
        &[&NO_COOKIE]
    }

    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>) {
        for (name, definition, auth) in subject.forward_auths() {
            let passes = |header: &String| header.eq_ignore_ascii_case("cookie");
            if auth.request_headers.is_empty() || auth.request_headers.iter().any(passes) {
                continue;
            }
            let place = at(&definition.at.source, definition.setting("authRequestHeaders"));
            let proof = match subject.through(name) {
                Some(asked) => asked.signed_in().shows(Shows::Status(302)),
                None => Proof::Static("no router of a protected host runs the middleware".to_owned()),
            };
            let message = format!("middleware `{name}` does not pass `Cookie` on to the outpost");
            into.push(
                Finding::new(&NO_COOKIE, Severity::Error, place, message, proof)
                    .because("the outpost knows a user by its cookie; without it every request is sent to the login again")
                    .fix("add `Cookie` to authRequestHeaders, or leave the setting out"),
            );
        }
    }
}
