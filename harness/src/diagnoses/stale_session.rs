//! SSO-S03.

use super::subject::{Diagnosed, Diagnosis, OUTPOST, Subject};

/// A proxy cookie whose session has ended gives an error instead of a login.
pub(super) struct StaleSession;

impl Diagnosis for StaleSession {
    fn code(&self) -> &'static str {
        "SSO-S03"
    }

    fn explanation(&self) -> &'static str {
        "A proxy cookie whose session has ended gives an error instead of a login\n\n\
         A browser that comes back after its session has ended still sends the outpost's cookie. The outpost \
         should begin a new login; a 400 locks the browser out until somebody deletes the cookie.\n\
         Update the outpost; until then delete `authentik_proxy_*` of the service's host."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.at_services().find(|hop| {
            hop.status() == Some(400)
                && !hop.request.url.path().starts_with(OUTPOST)
                && subject.proxy_cookie(hop).is_some()
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} answers 400 to a browser with a left-over `{}` instead of beginning a login",
                hop.request.url.host_str().unwrap_or_default(),
                subject.proxy_cookie(hop).unwrap_or_default(),
            ),
            pointer: None,
            help: "update the outpost; until then delete the cookie".to_owned(),
        })
    }
}
