//! SSO-G05.

use url::Url;

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::evidence::ChangeKind;

/// Grafana's sign-out does not do what it should.
pub(super) struct GrafanaSignOut;

impl Diagnosis for GrafanaSignOut {
    fn code(&self) -> &'static str {
        "SSO-G05"
    }

    fn explanation(&self) -> &'static str {
        "Grafana's sign-out does not do what it should\n\n\
         `signout_redirect_url` is used as it is: unset, Grafana only shows its login page and the next login \
         is silent; another application's end-session is a 404. Grafana must delete its own session in any \
         case.\n\
         Set `signout_redirect_url` to the application's own end-session endpoint."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let grafana = subject.deployment.apps.grafana.as_ref()?;
        let promised = grafana.signout_redirect_url.as_ref()?;
        let host = Url::parse(&grafana.url).ok()?;
        let hop = subject.ledger.hops.iter().find(|hop| {
            hop.request.url.host_str() == host.host_str() && hop.request.url.path().ends_with("/logout")
        })?;
        let to = hop.redirect_target().map(String::from).unwrap_or_default();
        let kept = !hop
            .jar
            .iter()
            .any(|change| change.kind == ChangeKind::Removed && change.name == "grafana_session");
        let had = hop.request.cookies().into_iter().any(|(name, _)| name == "grafana_session");
        let title = if !to.starts_with(promised.as_str()) {
            format!("Grafana's sign-out goes to {to}, not to {}", promised.as_str())
        } else if kept && had {
            format!("Grafana's sign-out (hop {}) leaves its own session alive", hop.number())
        } else {
            return None;
        };
        Some(Diagnosed {
            code: self.code(),
            title,
            pointer: subject.line(promised.place),
            help: "set `signout_redirect_url` to the application's own end-session endpoint".to_owned(),
        })
    }
}
