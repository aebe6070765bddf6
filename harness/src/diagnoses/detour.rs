//! SSO-S05.

use super::subject::{Diagnosed, Diagnosis, OUTPOST, Subject};

/// An anonymous browser is sent through the outpost's start first.
pub(super) struct Detour;

impl Diagnosis for Detour {
    fn code(&self) -> &'static str {
        "SSO-S05"
    }

    fn explanation(&self) -> &'static str {
        "An anonymous browser is sent through the outpost's start first\n\n\
         Forward auth itself sends a browser to the authorize endpoint. When it goes through \
         `/outpost.goauthentik.io/start` instead there is a hop more, and a loop when the outpost router does \
         not take that path. Older outposts and hand-written middlewares do so.\n\
         Point the middleware at `/outpost.goauthentik.io/auth/traefik` and see which version the outpost \
         has."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.at_services().find(|hop| {
            let to = hop.redirect_target();
            !hop.request.url.path().starts_with(OUTPOST)
                && to.is_some_and(|to| to.path() == "/outpost.goauthentik.io/start")
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} sends the browser to `/outpost.goauthentik.io/start` before the authorize endpoint",
                hop.request.url.host_str().unwrap_or_default()
            ),
            pointer: None,
            help: "see which version the outpost has, and what the middleware asks".to_owned(),
        })
    }
}
