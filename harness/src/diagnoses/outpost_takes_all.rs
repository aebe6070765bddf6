//! SSO-R06.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The outpost router takes more than the outpost's paths.
pub(super) struct OutpostTakesAll;

impl Diagnosis for OutpostTakesAll {
    fn code(&self) -> &'static str {
        "SSO-R06"
    }

    fn explanation(&self) -> &'static str {
        "The outpost router takes more than the outpost's paths\n\n\
         With the highest priority of all and no `PathPrefix(`/outpost.goauthentik.io/`)` in its rule, the \
         outpost router takes every request of the services: Authentik's 404 or its own pages instead of the \
         service.\n\
         Give the rule `&& PathPrefix(`/outpost.goauthentik.io/`)`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let outpost = &subject.deployment.traefik.outpost_router.value;
        let (slug, router) = subject.services().into_iter().find_map(|(slug, _, url)| {
            Some((slug, routing.taken(&url).winner.filter(|router| router.name == *outpost)?))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("outpost router `{outpost}` takes every path of service `{slug}`"),
            pointer: Some(routing.pointer(router.at())),
            help: "end its rule with && PathPrefix(`/outpost.goauthentik.io/`)".to_owned(),
        })
    }
}
