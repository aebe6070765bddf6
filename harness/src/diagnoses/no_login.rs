//! SSO-P04.

use super::subject::{Diagnosed, Diagnosis, OUTPOST, Subject};

/// A browser without a session gets an error and no login.
pub(super) struct NoLogin;

impl Diagnosis for NoLogin {
    fn code(&self) -> &'static str {
        "SSO-P04"
    }

    fn explanation(&self) -> &'static str {
        "A browser without a session gets an error and no login\n\n\
         For a navigation the outpost's `auth/traefik` answers 302 to the authorize endpoint and Traefik \
         passes that on. A bare 401 comes from another endpoint (nginx's expects the proxy to redirect), from \
         a middleware in between, or from an outpost that takes the request for a program's.\n\
         Point the middleware at `/outpost.goauthentik.io/auth/traefik` and see what rewrites its answer."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.at_services().find(|hop| {
            matches!(hop.status(), Some(401 | 403))
                && subject.ledger.arrived(hop).is_none()
                && !hop.request.url.path().starts_with(OUTPOST)
                && hop.request.header("upgrade").is_none()
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} answers {} to a browser without a session and sends it to no login",
                hop.request.url.host_str().unwrap_or_default(),
                hop.status().unwrap_or_default(),
            ),
            pointer: None,
            help: "point the middleware at `/outpost.goauthentik.io/auth/traefik`, and see what rewrites its answer".to_owned(),
        })
    }
}
