//! SSO-L06.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The outpost's sign_out does not answer.
pub(super) struct SignOutBroken;

impl Diagnosis for SignOutBroken {
    fn code(&self) -> &'static str {
        "SSO-L06"
    }

    fn explanation(&self) -> &'static str {
        "The outpost's sign_out does not answer\n\n\
         Authentik 2025.10.0 to 2025.12.4 panics at sign_out when its sessions are in PostgreSQL, and the \
         gateway answers 502. A proxy that does not pass the path on answers 404.\n\
         Update Authentik, and see that the outpost router takes the path."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.ledger.hops.iter().find(|hop| {
            hop.request.url.path().starts_with("/outpost.goauthentik.io/sign_out")
                && hop.status().is_none_or(|status| status >= 400)
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("{} answers {}", hop.request.url, hop.status().map_or("nothing".to_owned(), |status| status.to_string())),
            pointer: None,
            help: "update Authentik (2025.10.0 to 2025.12.4 panic there), and see that the outpost router takes the path".to_owned(),
        })
    }
}
