//! SSO-S06.

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, Subject};

/// Authentik does not recognise a browser that has signed in.
pub(super) struct CoreSessionLost;

impl Diagnosis for CoreSessionLost {
    fn code(&self) -> &'static str {
        "SSO-S06"
    }

    fn explanation(&self) -> &'static str {
        "Authentik does not recognise a browser that has signed in\n\n\
         The login flow ends, and the authorize endpoint shows the login page again: the cookie \
         `authentik_session` was not set, not sent, or its session is gone. Behind several servers or a proxy \
         that strips cookies nobody ever gets past the password.\n\
         See whether the answer that ends the flow sets `authentik_session` and whether authorize gets it \
         back."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.ledger.hops.iter().find(|hop| {
            let again = hop.request.url.path() == AUTHORIZE && subject.goes_to_login(hop);
            again
                && !hop.request.url.query().unwrap_or_default().contains("prompt=login")
                && subject.signed_in_before(hop)
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the browser of `{}` has signed in, and hop {} asks it for a login again",
                hop.actor,
                hop.number()
            ),
            pointer: None,
            help:
                "see whether the end of the flow sets `authentik_session`, and whether authorize gets it back"
                    .to_owned(),
        })
    }
}
