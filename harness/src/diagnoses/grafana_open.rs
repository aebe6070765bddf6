//! SSO-G06.

use url::Url;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Grafana's API answers a browser without a session.
pub(super) struct GrafanaOpen;

impl Diagnosis for GrafanaOpen {
    fn code(&self) -> &'static str {
        "SSO-G06"
    }

    fn explanation(&self) -> &'static str {
        "Grafana's API answers a browser without a session\n\n\
         What only a user may see is given to whoever asks: a cache in front of Grafana keeps answers although they \
         depend on the cookie, or something in front signs everybody in (`auth.proxy`).\n\
         Let nothing cache `/api/`, and see who may set the header of `auth.proxy`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let grafana = subject.deployment.apps.grafana.as_ref()?;
        let origin = Url::parse(&grafana.url).ok()?.origin();
        let hop = subject.ledger.hops.iter().find(|hop| {
            let url = &hop.request.url;
            let session = hop.request.cookies().into_iter().any(|(name, _)| name == "grafana_session");
            let known = session || hop.request.header("authorization").is_some();
            let own = url.path() == "/api/user" || url.path().starts_with("/api/user/");
            url.origin() == origin && own && !known && hop.status() == Some(200)
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "hop {}: Grafana answers {} for a browser without a session",
                hop.number(),
                hop.request.url.path()
            ),
            pointer: subject.line(grafana.url.place),
            help: "let nothing in front of Grafana cache `/api/`, and see who may set the header of `auth.proxy`"
                .to_owned(),
        })
    }
}
