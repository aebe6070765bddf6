//! SSO-L01.

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::evidence::loops::LoopKind;
use crate::evidence::{Hop, detect};

/// The outpost's sign_out is undone by the next visit.
pub(super) struct SignOutUndone;

impl Diagnosis for SignOutUndone {
    fn code(&self) -> &'static str {
        "SSO-L01"
    }

    fn explanation(&self) -> &'static str {
        "A sign-out is undone by the next visit\n\n\
         The outpost's `sign_out` and a provider's end-session with the default provider invalidation flow leave the \
         core session alive: the next visit to any service goes through authorize and callback without a page and is \
         signed in again. Where an app sends the browser to `sign_out` by itself this has no end.\n\
         Send users to the invalidation flow instead, or give the provider an invalidation flow that logs the user out."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let report = subject.case.actors.iter().find_map(|actor| {
            let hops: Vec<&Hop> = subject.ledger.of_actor(&actor.name).collect();
            detect(&hops).filter(|report| report.kind == LoopKind::SignOutUndone)
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: report.description,
            pointer: subject.line(subject.deployment.auth.logout_url.place),
            help: format!("sign users out at {}", *subject.deployment.auth.logout_url),
        })
    }
}
