//! SSO-R05.

use url::Url;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The forward auth middleware asks the wrong address.
pub(super) struct AuthAddress;

impl Diagnosis for AuthAddress {
    fn code(&self) -> &'static str {
        "SSO-R05"
    }

    fn explanation(&self) -> &'static str {
        "The forward auth middleware asks the wrong address\n\n\
         The address must be Authentik's internal one with the path `/outpost.goauthentik.io/auth/traefik`. \
         The public URL passes Traefik once more, which rewrites X-Forwarded-Host to Authentik's own host. \
         Another path has another meaning: nginx's endpoint answers 401 and no login, and whatever answers \
         2xx (`ping`, a page) lets everybody in.\n\
         Write `http://<authentik>:9000/outpost.goauthentik.io/auth/traefik`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let (definition, auth) = subject.forward_auth(routing)?;
        let address = Url::parse(&auth.address).ok()?;
        let host = address.host_str().unwrap_or_default();
        let fault = if subject.deployment.hosts().iter().any(|one| one == host) {
            "is public: the question passes Traefik again, which rewrites X-Forwarded-Host"
        } else if address.path() != "/outpost.goauthentik.io/auth/traefik" {
            "is not the outpost's endpoint for Traefik"
        } else {
            return None;
        };
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the address of middleware `{}`, {}, {fault}",
                *subject.deployment.traefik.middleware, auth.address
            ),
            pointer: Some(routing.pointer(&definition.at)),
            help: format!(
                "write `{}/outpost.goauthentik.io/auth/traefik`",
                *subject.deployment.auth.upstream
            ),
        })
    }
}
