//! SSO-S02.

use super::subject::{CALLBACK, Diagnosed, Diagnosis, Subject};

/// The callback redeems the code and the session is gone at the next request.
pub(super) struct SessionLost;

impl Diagnosis for SessionLost {
    fn code(&self) -> &'static str {
        "SSO-S02"
    }

    fn explanation(&self) -> &'static str {
        "The callback redeems the code and the session is gone at the next request\n\n\
         The outpost answers the callback with a redirect to the service, and the service's very next request \
         is sent to the authorize endpoint again: callback and authorize follow each other until the browser \
         gives up. The outpost threw the session away (its issuer differs from the token's, if only by the \
         case of the host), the browser lost the cookie on the way back, or another outpost answers now.\n\
         Compare `authentik_host`, the discovery document's issuer and the tokens' `iss` letter by letter; \
         see that one outpost answers, and that nothing strips its cookie."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (callback, next) =
            subject.ledger.hops.iter().zip(subject.ledger.hops.iter().skip(1)).find(|(one, next)| {
                let back = one.request.url.path() == CALLBACK && matches!(one.status(), Some(302 | 307));
                let place = one.redirect_target();
                let hosts = [Some(&one.request.url), place.as_ref()].into_iter().flatten();
                let mut hosts = hosts.map(|url| url.host_str());
                back && subject.goes_to_authorize(next)
                    && hosts.any(|host| host == next.request.url.host_str())
            })?;
        let host = callback.request.url.host_str().unwrap_or_default();
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the callback of {host} (hop {}) redeems the code, and hop {} is sent to the login again: the session is lost",
                callback.number(), next.number()
            ),
            pointer: None,
            help: "compare the outpost's `authentik_host` with the tokens' issuer, and see that its cookie comes back".to_owned(),
        })
    }
}
