//! SSO-S01.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The outpost's callback does not know the browser's session.
pub(super) struct StateMismatch;

impl Diagnosis for StateMismatch {
    fn code(&self) -> &'static str {
        "SSO-S01"
    }

    fn explanation(&self) -> &'static str {
        "The callback's state is not this browser's\n\n\
         The outpost puts a session into a cookie of the service's host and names it in `state`; the callback must come \
         with both. It answers 400 when the cookie is lost: the callback is on another host than the cookie, another \
         outpost made the state, the cookie was blocked, or the login was finished in another browser.\n\
         See that one outpost serves the middleware and the callback, and that the callback's host gets the cookie."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.hops_at("/outpost.goauthentik.io/callback", 400).next()?;
        let lines = subject.logs.iter().flat_map(|(_, lines)| lines);
        let reason = lines.rev().find_map(|line| {
            ["mismatched session ID", "invalid state"].into_iter().find(|reason| line.contains(reason))
        });
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the callback of {} does not belong to the browser's login: {}",
                hop.request.url.host_str().unwrap_or_default(),
                reason.unwrap_or("state and session do not match")
            ),
            pointer: None,
            help: "one outpost must serve the middleware and the callback, and the cookie must reach both"
                .to_owned(),
        })
    }
}
