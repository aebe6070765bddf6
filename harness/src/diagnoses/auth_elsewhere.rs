//! SSO-I01.

use url::Url;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The forward auth middleware asks a host that is not Authentik.
pub(super) struct AuthElsewhere;

impl Diagnosis for AuthElsewhere {
    fn code(&self) -> &'static str {
        "SSO-I01"
    }

    fn explanation(&self) -> &'static str {
        "The forward auth middleware asks a host that is not Authentik\n\n\
         Traefik answers 500 to every request of a protected service when it cannot reach the auth server: a \
         name that does not resolve in its network, a wrong port, a container that is down.\n\
         Write the name by which Traefik's own network knows Authentik."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let (definition, auth) = subject.forward_auth(routing)?;
        let (address, own) =
            (Url::parse(&auth.address).ok()?, Url::parse(&subject.deployment.auth.upstream).ok()?);
        let elsewhere = (address.host_str(), address.port_or_known_default())
            != (own.host_str(), own.port_or_known_default());
        let failed = subject.at_services().any(|hop| hop.status() == Some(500));
        (elsewhere && failed).then(|| Diagnosed {
            code: self.code(),
            title: format!(
                "middleware `{}` asks {}, and Authentik is at {}",
                *subject.deployment.traefik.middleware, auth.address, *subject.deployment.auth.upstream
            ),
            pointer: Some(routing.pointer(&definition.at)),
            help: "write the name by which Traefik's network knows Authentik".to_owned(),
        })
    }
}
