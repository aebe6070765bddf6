//! SSO-P06.

use super::subject::{Diagnosed, Diagnosis, Subject, carries};

/// The outpost lets a request without a session pass.
pub(super) struct LetIn;

impl Diagnosis for LetIn {
    fn code(&self) -> &'static str {
        "SSO-P06"
    }

    fn explanation(&self) -> &'static str {
        "The outpost lets a request without a session pass\n\n\
         Any 2xx of forward auth opens the service. The outpost gives one without identity headers for a path \
         that a line of \"unauthenticated paths\" matches (an unanchored expression such as `/` or `api` \
         matches far more than it says), and versions before 2025.10.4 and 2025.12.4 for a malformed session \
         cookie (CVE-2026-25748).\n\
         Anchor the unauthenticated paths (`^/public/`), update Authentik, and let services refuse a request \
         without an identity."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.at_services().find(|hop| {
            let arrived = subject.ledger.arrived(hop).filter(|arrived| !arrived.is_null());
            arrived.is_some_and(|arrived| !carries(&arrived, "x-authentik-"))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} {} reached the service without an identity: forward auth let it pass",
                hop.request.method, hop.request.url
            ),
            pointer: None,
            help: "anchor the provider's unauthenticated paths, update Authentik, and refuse requests without an identity".to_owned(),
        })
    }
}
