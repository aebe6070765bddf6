//! SSO-R03.

use super::subject::{Diagnosed, Diagnosis, Subject};
use ssoproof_deployment::traefik::unqualified;

/// A router of a protected service has no forward auth.
pub(super) struct RouterUnprotected;

impl Diagnosis for RouterUnprotected {
    fn code(&self) -> &'static str {
        "SSO-R03"
    }

    fn explanation(&self) -> &'static str {
        "A router of a protected service lacks the forward auth middleware\n\n\
         Whoever reaches the host reaches the service: no login, and every identity header that a client sends is \
         believed. It comes from a router without `middlewares` (an empty list counts as none), from a second router \
         with a longer rule or a higher priority, or from a deployment tool that writes its own file.\n\
         Add the middleware to the router that is named."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let middleware = &subject.deployment.traefik.middleware.value;
        let outpost = &subject.deployment.traefik.outpost_router.value;
        let (slug, router) = subject.services().into_iter().find_map(|(slug, _, url)| {
            let routers = routing.taken(&url).of_host;
            // One behind another with the same rule never gets a request.
            let shadowed =
                |at: usize| routers.iter().take(at).any(|first| first.rule_text() == routers[at].rule_text());
            let open = (0..routers.len())
                .find(|&at| routers[at].name != *outpost && !routers[at].runs(middleware) && !shadowed(at))?;
            Some((slug, routers[open].clone()))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "router `{}` lets requests for service `{slug}` through without `{middleware}`",
                router.name
            ),
            pointer: Some(routing.pointer(&router.definition.at)),
            help: format!("add `middlewares: [{middleware}]` to router `{}`", unqualified(&router.name)),
        })
    }
}
