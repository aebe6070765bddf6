//! SSO-H07.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The request's headers are too big for a part of the stack.
pub(super) struct HeaderSize;

impl Diagnosis for HeaderSize {
    fn code(&self) -> &'static str {
        "SSO-H07"
    }

    fn explanation(&self) -> &'static str {
        "The request's headers are too big for a part of the stack\n\n\
         `X-authentik-jwt` and `X-authentik-groups` add kilobytes to every request, the more groups the more. \
         Many servers take 4, 8 or 16 KiB of headers and answer 431 beyond that, and only to users of many \
         groups.\n\
         Leave headers that the service does not need off authResponseHeaders, `X-authentik-jwt` first, or \
         raise the service's limit."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.ledger.hops.iter().find(|hop| hop.status() == Some(431))?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} answers 431: the headers are too big for it",
                hop.request.url.host_str().unwrap_or_default()
            ),
            pointer: None,
            help:
                "leave headers that the service does not need off authResponseHeaders, X-authentik-jwt first"
                    .to_owned(),
        })
    }
}
