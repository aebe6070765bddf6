//! SSO-P03.

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, Subject};

/// Browsers are sent to an authorize endpoint that does not exist.
pub(super) struct OwnAuthorize;

impl Diagnosis for OwnAuthorize {
    fn code(&self) -> &'static str {
        "SSO-P03"
    }

    fn explanation(&self) -> &'static str {
        "Browsers are sent to an authorize endpoint that does not exist\n\n\
         Authentik has one authorize endpoint for all applications, `/application/o/authorize/`; token and \
         userinfo are shared as well. Only discovery, keys and end-session are below an application's slug. A \
         path such as `/application/o/<slug>/authorize/` is a 404.\n\
         Take the endpoints from the discovery document."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, to) = subject.ledger.hops.iter().find_map(|hop| {
            let to = hop.redirect_target().filter(|to| subject.is_auth(to))?;
            let own = to.path().starts_with("/application/o/")
                && to.path().ends_with("/authorize/")
                && to.path() != AUTHORIZE;
            own.then_some((hop, to))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "hop {} sends the browser to `{}`; the authorize endpoint is `{AUTHORIZE}`",
                hop.number(),
                to.path()
            ),
            pointer: None,
            help: "take the endpoints from the discovery document".to_owned(),
        })
    }
}
