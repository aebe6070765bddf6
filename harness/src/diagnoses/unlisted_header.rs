//! SSO-H01.

use ssoproof_deployment::traefik::{Definition as _, Middleware};

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
        let definition = routing.runtime().dynamic.middlewares.iter().find(|found| found.name() == name)?;
        let auth = definition.kinds.iter().find_map(|kind| match kind {
            Middleware::ForwardAuth(auth) => Some(auth),
            _ => None,
        })?;
        let header = subject.findings.iter().find_map(|found| {
            let header = found.finding.what.strip_prefix("header ")?;
            let identity =
                subject.deployment.headers.identity.iter().find(|one| one.eq_ignore_ascii_case(header))?;
            let listed = auth.auth_response_headers.iter().any(|one| one.eq_ignore_ascii_case(header));
            let matched =
                matches!(&auth.auth_response_headers_regex, Some(Ok(pattern)) if pattern.is_match(identity));
            (!listed && !matched).then(|| identity.value.clone())
        })?;
        let place = auth.auth_response_headers.first().map_or(definition.origin.place, |first| first.place);
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "middleware `{}` does not list `{header}`: the service never gets Authentik's, and always a client's",
                *subject.deployment.traefik.middleware
            ),
            pointer: Some(routing.pointer(&definition.origin.source, place)),
            help: format!("add `{header}` to authResponseHeaders"),
        })
    }
}
