//! SSO-O09.

use super::subject::{Diagnosed, Diagnosis, Subject, TOKEN, USERINFO};

/// An endpoint that apps call does not answer as it should.
pub(super) struct EndpointBroken;

impl Diagnosis for EndpointBroken {
    fn code(&self) -> &'static str {
        "SSO-O09"
    }

    fn explanation(&self) -> &'static str {
        "An endpoint that apps call does not answer as it should\n\n\
         Apps redeem codes at the token endpoint and ask userinfo by themselves, over their own network path. \
         A filter, a rate limit, or an Authentik that is being updated breaks every login at its last step.\n\
         Call the endpoint from the app's container and look at Authentik's log."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.ledger.hops.iter().find(|hop| {
            let path = hop.request.url.path();
            (path == TOKEN || path == USERINFO) && matches!(hop.status(), Some(403 | 500..=599))
        });
        let line = subject.logged("Failed to get token from provider");
        let title = match (hop, line) {
            (Some(hop), _) => {
                format!(
                    "{} answers {} (hop {})",
                    hop.request.url.path(),
                    hop.status().unwrap_or_default(),
                    hop.number()
                )
            }
            (None, Some(line)) => format!("an app could not call Authentik: {line}"),
            (None, None) => return None,
        };
        Some(Diagnosed {
            code: self.code(),
            title,
            pointer: None,
            help: "call the endpoint from the app's network and look at Authentik's log".to_owned(),
        })
    }
}
