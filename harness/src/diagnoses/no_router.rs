//! SSO-R08.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// No router takes the requests of a host.
pub(super) struct NoRouter;

impl Diagnosis for NoRouter {
    fn code(&self) -> &'static str {
        "SSO-R08"
    }

    fn explanation(&self) -> &'static str {
        "No router takes the requests of a host\n\n\
         Traefik answers `404 page not found` when no rule matches: the host is misspelt in the rule, the \
         router listens on another entry point, or its file is not in the folder.\n\
         Define a router for the host on the entry point that browsers use."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let (slug, host) = subject.services().into_iter().find_map(|(slug, _, url)| {
            routing.taken(&url).winner.is_none().then(|| Some((slug, url.host_str()?.to_owned())))?
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("no router takes https requests for {host}, the host of service `{slug}`"),
            pointer: None,
            help: format!(
                "define a router with Host(`{host}`) on `{}`",
                subject.deployment.traefik.entry_points.https
            ),
        })
    }
}
