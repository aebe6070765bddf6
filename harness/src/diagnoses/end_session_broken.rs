//! SSO-L08.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The end-session endpoint does not start the invalidation flow.
pub(super) struct EndSessionBroken;

impl Diagnosis for EndSessionBroken {
    fn code(&self) -> &'static str {
        "SSO-L08"
    }

    fn explanation(&self) -> &'static str {
        "The end-session endpoint does not start the invalidation flow\n\n\
         End-session answers 302 to the provider's invalidation flow. A static \"Logout successful\" comes when \
         a flow plan is still in the session, and logs nobody out; since 2026.5 a post-logout redirect that \
         is not registered with type `logout` is a 400.\n\
         Register the post-logout URI, and see which version answers."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.ledger.hops.iter().find(|hop| {
            hop.request.url.path().ends_with("/end-session/")
                && hop.status().is_some_and(|status| status != 302)
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} answers {} and starts no flow",
                hop.request.url.path(),
                hop.status().unwrap_or_default()
            ),
            pointer: None,
            help: "register the post-logout URI, and see which version answers".to_owned(),
        })
    }
}
