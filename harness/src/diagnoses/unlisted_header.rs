//! SSO-H01.

use regex::Regex;
use ssoproof_deployment::traefik::{MiddlewareType, canonical_header};

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The middleware does not list an identity header.
pub(super) struct UnlistedHeader;

impl Diagnosis for UnlistedHeader {
    fn code(&self) -> &'static str {
        "SSO-H01"
    }

    fn explanation(&self) -> &'static str {
        "The forward auth middleware does not list an identity header\n\n\
         Traefik copies only the headers in `authResponseHeaders` from the outpost's answer onto the request, and only \
         those does it take away from the client. An identity header that is not listed never reaches the service from \
         Authentik, and always does from a client that sends its own.\n\
         List every `X-authentik-*` header that a service may read. A pattern in `authResponseHeadersRegex` sees \
         canonical names: `^X-authentik-` matches nothing, `^X-Authentik-` does."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let name = subject.deployment.traefik.middleware.split('@').next()?;
        let definition = routing.config().dynamic.middlewares.get(name)?;
        let auth = definition.types.iter().find_map(|kind| match kind {
            MiddlewareType::ForwardAuth(auth) => Some(auth),
            _ => None,
        })?;
        let pattern = auth.response_headers_pattern.as_ref().and_then(|pattern| Regex::new(pattern).ok());
        let header = subject.deployment.headers.identity.iter().find(|header| {
            let listed = auth.response_headers.iter().any(|one| one.eq_ignore_ascii_case(header));
            let matched = pattern.as_ref().is_some_and(|pattern| pattern.is_match(&canonical_header(header)));
            !listed && !matched && is_about(subject, header)
        })?;
        let header = &header.value;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "middleware `{}` does not list `{header}`: the service never gets Authentik's, and always a client's",
                *subject.deployment.traefik.middleware
            ),
            pointer: Some(routing.pointer(&definition.at)),
            help: format!("add `{header}` to authResponseHeaders"),
        })
    }
}

/// Whether what fails has to do with `header`: by its name, or by what it says of the user.
fn is_about(subject: &Subject<'_>, header: &str) -> bool {
    let reached = subject.ledger.hops.iter().any(|hop| subject.ledger.arrived(hop).is_some());
    let name = header.to_ascii_lowercase();
    let kind = name.rsplit('-').next().unwrap_or(&name);
    reached
        && (subject.case.id.to_ascii_lowercase().contains(&name)
            || subject.findings.iter().any(|found| {
                let finding = &found.finding;
                let text =
                    format!("{} {} {}", finding.what, finding.expected, finding.got).to_ascii_lowercase();
                text.contains(&name) || finding.what.to_ascii_lowercase().contains(kind)
            }))
}
