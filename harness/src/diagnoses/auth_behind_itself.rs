//! SSO-R07.

use url::Url;

use super::subject::{CALLBACK, Diagnosed, Diagnosis, Subject};

/// Authentik's own paths are behind forward auth.
pub(super) struct AuthBehindItself;

impl Diagnosis for AuthBehindItself {
    fn code(&self) -> &'static str {
        "SSO-R07"
    }

    fn explanation(&self) -> &'static str {
        "Authentik's own paths are behind forward auth\n\n\
         The login page and the outpost's callback must be open to anybody. Behind the middleware the way to \
         the login asks for a login: a loop, or a 404 for a host that no provider has.\n\
         Take the middleware off the routers of Authentik."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let middleware = &subject.deployment.traefik.middleware.value;
        let login = Url::parse(&subject.deployment.auth.url).ok()?;
        let callbacks = subject.services().into_iter().filter_map(|(_, _, url)| url.join(CALLBACK).ok());
        let mut urls = std::iter::once(login).chain(callbacks);
        let router = urls.find_map(|url| {
            let winner = routing.taken(&url).winner?;
            let own = winner.name == *subject.deployment.traefik.outpost_router || subject.is_auth(&url);
            (own && winner.runs(middleware)).then_some(winner)
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("router `{}` puts Authentik's own paths behind `{middleware}`", router.name),
            pointer: Some(routing.pointer(router.at())),
            help: format!("take `{middleware}` off router `{}`", router.name),
        })
    }
}
