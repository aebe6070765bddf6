//! SSO-H01.

use super::subject::{Diagnosed, Diagnosis, Subject, copies};

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
        let (definition, auth) = subject.forward_auth(routing)?;
        let identity = &subject.deployment.headers.identity;
        let header = identity.iter().find(|header| !copies(auth, header) && is_about(subject, header))?;
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
