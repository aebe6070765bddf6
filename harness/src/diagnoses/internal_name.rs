//! SSO-P02.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Browsers are sent to a name that only the gateway knows.
pub(super) struct InternalName;

impl Diagnosis for InternalName {
    fn code(&self) -> &'static str {
        "SSO-P02"
    }

    fn explanation(&self) -> &'static str {
        "Browsers are sent to a name that only the gateway knows\n\n\
         The embedded outpost builds every URL for browsers from its `authentik_host`; \
         `authentik_host_browser` is for standalone outposts alone. With an internal name there, such as \
         `http://authentik-server:9000`, no browser gets to the login.\n\
         Set `authentik_host` of the embedded outpost to Authentik's public URL."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hosts = subject.deployment.hosts();
        let (hop, to) = subject.at_services().find_map(|hop| {
            let to = hop
                .redirect_target()
                .filter(|to| to.host_str().is_none_or(|host| !hosts.iter().any(|one| one == host)))?;
            to.path().starts_with("/application/o/").then_some((hop, to))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} sends browsers to {}, which is none of the deployment's hosts",
                hop.request.url.host_str().unwrap_or_default(),
                to.origin().ascii_serialization(),
            ),
            pointer: subject.line(subject.deployment.auth.url.place),
            help: format!("set the embedded outpost's `authentik_host` to {}", *subject.deployment.auth.url),
        })
    }
}
