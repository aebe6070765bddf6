//! SSO-R02.

use ssoproof_deployment::traefik::Status;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A router is disabled, for want of its middleware for example.
pub(super) struct RouterDisabled;

impl Diagnosis for RouterDisabled {
    fn code(&self) -> &'static str {
        "SSO-R02"
    }

    fn explanation(&self) -> &'static str {
        "A router is disabled\n\n\
         Traefik disables a router whose middleware, service or entry point does not exist or whose rule does not \
         parse. Its requests get 404, or fall through to a broader router: with a catch-all that has no middleware \
         that is a way around the login.\n\
         Define what is missing, or spell the name as it is defined (`authentik` means `authentik@file` in a file)."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let router = subject.services().into_iter().find_map(|(_, _, url)| {
            let host = url.host_str()?;
            routing.config().routers.iter().find(|router| {
                // Traefik's own services are no services of the files.
                let service = router.definition.service.as_ref();
                router.status == Status::Disabled
                    && !service.is_some_and(|service| service.ends_with("@internal"))
                    && router.rule.as_ref().is_none_or(|rule| rule.may_match_host(host))
            })
        })?;
        let definition = &router.definition;
        let named = definition.middlewares.as_ref().and_then(|middlewares| middlewares.first());
        let place = match named {
            Some(middleware) if router.errors.iter().any(|error| error.starts_with("middleware")) => {
                middleware.place
            }
            _ => definition.at.place,
        };
        Some(Diagnosed {
            code: self.code(),
            title: format!("router `{}` is disabled: {}", router.name, router.errors.join("; ")),
            pointer: Some(routing.pointer_to(&definition.at, place)),
            help: "define what is missing; until then the router's host answers 404 or falls through to a broader one"
                .to_owned(),
        })
    }
}
