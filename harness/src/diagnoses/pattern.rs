//! SSO-H03.

use regex::Regex;
use ssoproof_deployment::traefik::canonical_header;

use super::subject::{Diagnosed, Diagnosis, Subject, copies};

/// authResponseHeadersRegex does not match what it should.
pub(super) struct Pattern;

impl Diagnosis for Pattern {
    fn code(&self) -> &'static str {
        "SSO-H03"
    }

    fn explanation(&self) -> &'static str {
        "authResponseHeadersRegex does not match what it should\n\n\
         The expression sees canonical names, `X-Authentik-Username`, and case counts: `^x-authentik-` \
         matches nothing, so that no identity reaches the service and a client's own headers do. One that \
         also matches `X-Forwarded-*` takes those off the request, because the outpost does not send them.\n\
         Write `^X-Authentik-`, or list the headers."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let (definition, auth) = subject.forward_auth(routing)?;
        let text = auth.response_headers_pattern.as_ref()?;
        let pattern = Regex::new(text).ok()?;
        let identity = &subject.deployment.headers.identity;
        let missed = identity.iter().find(|header| !copies(auth, header));
        let title = if let Some(missed) = missed {
            format!("authResponseHeadersRegex `{text}` does not match `{}`", canonical_header(missed))
        } else if pattern.is_match("X-Forwarded-Host") {
            format!(
                "authResponseHeadersRegex `{text}` matches X-Forwarded-* too and takes them off every request"
            )
        } else {
            return None;
        };
        Some(Diagnosed {
            code: self.code(),
            title,
            pointer: Some(routing.pointer(&definition.at)),
            help: "write `^X-Authentik-`, or list the headers in authResponseHeaders".to_owned(),
        })
    }
}
