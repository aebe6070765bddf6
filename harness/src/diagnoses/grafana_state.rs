//! SSO-G02.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Grafana does not get its OAuth state back.
pub(super) struct GrafanaState;

impl Diagnosis for GrafanaState {
    fn code(&self) -> &'static str {
        "SSO-G02"
    }

    fn explanation(&self) -> &'static str {
        "Grafana does not get its OAuth state back\n\n\
         Grafana keeps the state in a cookie of its own host. It is lost when `root_url` is another host or \
         scheme than the browser's, when the cookie's path or SameSite keeps it off the way back, or when a \
         second login in another tab replaces it: \"Missing saved oauth state\".\n\
         Set `root_url` to the public URL, and `cookie_secure` with https."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let line = ["Missing saved oauth state", "Provided state does not match stored state"]
            .into_iter()
            .find_map(|words| subject.logged_by_grafana(words));
        let again = subject.ledger.hops.iter().find(|hop| {
            let back = hop.request.url.path().ends_with("/login/generic_oauth")
                && hop.request.url.query().is_some_and(|query| query.contains("code="));
            back && hop.redirect_target().is_some_and(|to| to.path().ends_with("/login"))
                && hop.response().is_some_and(|response| response.header("set-cookie").is_none())
        });
        let title = match (line, again) {
            (Some(line), _) => format!("Grafana refuses the way back: {line}"),
            (None, Some(hop)) => format!(
                "hop {} brings the code to Grafana and is sent to its login page without a session",
                hop.number()
            ),
            (None, None) => return None,
        };
        Some(Diagnosed {
            code: self.code(),
            title,
            pointer: subject
                .deployment
                .apps
                .grafana
                .as_ref()
                .and_then(|grafana| subject.line(grafana.url.place)),
            help: "set `root_url` to the public URL, and see which of Grafana's cookies come back".to_owned(),
        })
    }
}
