//! SSO-I02.

use super::subject::{Diagnosed, Diagnosis, Subject, TOKEN, USERINFO};

/// Authentik answers with an error of its own.
pub(super) struct AuthentikDown;

impl Diagnosis for AuthentikDown {
    fn code(&self) -> &'static str {
        "SSO-I02"
    }

    fn explanation(&self) -> &'static str {
        "Authentik answers with an error of its own\n\n\
         Starting, migrating, or without its database Authentik answers 500 or 503; Traefik passes that on \
         and services stay closed, as they should.\n\
         Look at `/-/health/ready/` and the server's log."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.ledger.hops.iter().find(|hop| {
            let auth = subject.is_auth(&hop.request.url)
                || subject.service_of(hop).is_some() && subject.proxy_cookie(hop).is_none();
            let endpoint = matches!(hop.request.url.path(), TOKEN | USERINFO);
            auth && !endpoint && matches!(hop.status(), Some(500 | 503))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} answers {}: Authentik is not ready",
                hop.request.url.host_str().unwrap_or_default(),
                hop.status().unwrap_or_default()
            ),
            pointer: None,
            help: "look at `/-/health/ready/` and the server's log".to_owned(),
        })
    }
}
