//! SSO-I03.

use super::subject::{Diagnosed, Diagnosis, OUTPOST, Subject};

/// The service itself does not answer.
pub(super) struct ServiceDown;

impl Diagnosis for ServiceDown {
    fn code(&self) -> &'static str {
        "SSO-I03"
    }

    fn explanation(&self) -> &'static str {
        "The service itself does not answer\n\n\
         The login is fine, and the service behind it answers 502, 503 or 504: it is down, listens on another \
         port, or is not in Traefik's network.\n\
         Look at the service."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.at_services().find(|hop| {
            matches!(hop.status(), Some(502..=504)) && !hop.request.url.path().starts_with(OUTPOST)
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} answers {} after the login",
                hop.request.url.host_str().unwrap_or_default(),
                hop.status().unwrap_or_default()
            ),
            pointer: subject.service_of(hop).and_then(|(_, service)| subject.line(service.upstream.place)),
            help: "look at the service: it is down, on another port, or not in Traefik's network".to_owned(),
        })
    }
}
