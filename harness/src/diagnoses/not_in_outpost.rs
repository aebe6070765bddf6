//! SSO-P01.

use super::subject::{Diagnosed, Diagnosis, Subject, by_authentik};

/// A proxy provider is not in the embedded outpost.
pub(super) struct NotInOutpost;

impl Diagnosis for NotInOutpost {
    fn code(&self) -> &'static str {
        "SSO-P01"
    }

    fn explanation(&self) -> &'static str {
        "A proxy provider is not added to the embedded outpost\n\n\
         Creating provider and application is not enough: the outpost serves only the providers in its list. Until \
         then forward auth for the host answers Authentik's own 404 page, although the outpost's ping says 204.\n\
         Add the provider under Applications / Outposts / authentik Embedded Outpost. From 2026.8 on the same page \
         comes for every host at once when Authentik does not trust Traefik's address and so ignores \
         X-Forwarded-Host: list its network in AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let services = subject.services();
        let (slug, service, _) = services.iter().find(|(_, _, url)| {
            subject.ledger.hops.iter().any(|hop| {
                // One that says it is for another host may be believed, which is another matter.
                let own = hop.request.header("x-forwarded-host").is_none();
                own && hop.request.url.host_str() == url.host_str()
                    && hop.status() == Some(404)
                    && by_authentik(hop)
            })
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the provider of service `{slug}` is not in the embedded outpost, or its external host is not {}",
                *service.url
            ),
            pointer: subject.line(service.url.place),
            help: format!(
                "add the provider of `{slug}` to the embedded outpost; else see which X-Forwarded-Host reaches it"
            ),
        })
    }
}
