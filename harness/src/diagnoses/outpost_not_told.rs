//! SSO-L04.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Services stay open after the core session has ended.
pub(super) struct OutpostNotTold;

impl Diagnosis for OutpostNotTold {
    fn code(&self) -> &'static str {
        "SSO-L04"
    }

    fn explanation(&self) -> &'static str {
        "Services stay open after the core session has ended\n\n\
         When a core session ends, Authentik's worker tells the outposts, and they drop the user's sessions. \
         A worker that stands still or lags behind, or an outpost that has lost its connection, leaves every \
         service open until its own cookie ends.\n\
         See that the worker runs and the outpost is connected."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        // The page alone ends nothing.
        let executor = format!("/api/v3/flows/executor/{}/", subject.deployment.auth.invalidation_flow);
        let executed = subject.after_flow().any(|hop| hop.request.url.path() == executor);
        let hop = subject.after_flow().filter(|_| executed).find(|hop| {
            let direct = hop.redirect_target().is_none() && subject.ledger.arrived(hop).is_some();
            direct && subject.proxy_cookie(hop).is_some()
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the core session has ended and {} is still open (hop {})",
                hop.request.url.host_str().unwrap_or_default(),
                hop.number()
            ),
            pointer: None,
            help: "see that Authentik's worker runs and that the outpost is connected".to_owned(),
        })
    }
}
