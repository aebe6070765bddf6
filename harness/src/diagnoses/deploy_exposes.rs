//! SSO-D01.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A deploy lets strangers in.
pub(super) struct DeployExposes;

impl Diagnosis for DeployExposes {
    fn code(&self) -> &'static str {
        "SSO-D01"
    }

    fn explanation(&self) -> &'static str {
        "A deploy leaves a service open to everybody\n\n\
         A tool that writes Traefik files from what it knows, as devpush does on every deploy, drops the forward auth \
         middleware. Until somebody has put it back and Traefik has loaded that, whoever asks is let in: for good where \
         nobody patches, and else for as long as Traefik holds the second change back (providersThrottleDuration, 2 s).\n\
         Close it by default, so that there is no such time at all: a router of your own for the host, in a file that no \
         tool writes, with the middleware and a priority above the tool's; or, where Authentik has an entry point of its \
         own, `entryPoints.NAME.http.middlewares`. `deploy-closed` shows it. Where that cannot be done, keep `ssoproof \
         traefik patch --watch` running, which hears of every way to write, and lower providersThrottleDuration."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.exposed_by_deploy()?;
        let middleware = &subject.deployment.traefik.middleware.value;
        let routing = subject.routing().ok();
        let open = routing.and_then(|routing| {
            let (_, _, url) = subject.services().into_iter().next()?;
            let winner = routing.taken(&url).winner?;
            (!winner.runs(middleware)).then(|| routing.pointer(winner.at()))
        });
        Some(Diagnosed {
            code: self.code(),
            title: format!("a deploy lets strangers in: {} is {}", finding.what, finding.got),
            pointer: open,
            help: format!(
                "close the host by default: a router of your own with `{middleware}` and a priority above the tool's, in \
                 a file that no tool writes, lets nobody in; else keep `ssoproof traefik patch --watch` running, with a \
                 lower providersThrottleDuration"
            ),
        })
    }
}
