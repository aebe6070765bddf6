//! SSO-R04.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The outpost's paths of a host do not reach the outpost.
pub(super) struct HostWithoutOutpost;

impl Diagnosis for HostWithoutOutpost {
    fn code(&self) -> &'static str {
        "SSO-R04"
    }

    fn explanation(&self) -> &'static str {
        "The outpost router does not take the outpost's paths of a host\n\n\
         After the login Authentik sends the browser to `/outpost.goauthentik.io/callback` of the service's host. When \
         the outpost router does not list that host, or loses against another router, the callback goes through \
         forward auth itself and the browser is sent to the login again: a redirect loop, or a 400.\n\
         List the host in the outpost router's rule, and give that router a priority above every other."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let wanted = &subject.deployment.traefik.outpost_router.value;
        let (host, taken) = subject.services().into_iter().find_map(|(_, _, url)| {
            let callback = url.join("/outpost.goauthentik.io/callback").ok()?;
            let taken = routing.taken(&callback).winner;
            let wrong = taken.as_ref().is_none_or(|router| router.name != *wanted);
            wrong.then(|| Some((url.host_str()?.to_owned(), taken)))?
        })?;
        let outpost = routing.config().router(wanted);
        let pointer = outpost.map(|router| {
            let at = router.at();
            routing.pointer_to(at, router.definition.rule.as_ref().map_or(at.place, |rule| rule.place))
        });
        let lists =
            outpost.and_then(|router| router.rule.as_ref()).is_some_and(|rule| rule.may_match_host(&host));
        let instead = taken.map_or_else(|| "no router".to_owned(), |router| format!("`{}`", router.name));
        let (title, help) = match (outpost.is_some(), lists) {
            (false, _) => (format!("there is no outpost router `{wanted}`"), "define it".to_owned()),
            (true, false) => (
                format!("outpost router does not list {host}: {instead} takes its outpost paths"),
                format!("add `|| Host(`{host}`)` to the rule of `{wanted}`"),
            ),
            (true, true) => (
                format!("outpost router loses {host}: {instead} takes its outpost paths"),
                format!("give `{wanted}` a priority above that of {instead}"),
            ),
        };
        Some(Diagnosed { code: self.code(), title, pointer, help })
    }
}
