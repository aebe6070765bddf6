//! SSO-H07.

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::evidence::Hop;

/// The request's headers are too big for a part of the stack.
pub(super) struct HeaderSize;

impl Diagnosis for HeaderSize {
    fn code(&self) -> &'static str {
        "SSO-H07"
    }

    fn explanation(&self) -> &'static str {
        "The request's headers are too big for a part of the stack\n\n\
         `X-authentik-jwt` and `X-authentik-groups` add kilobytes to every request, the more groups the more. \
         Many servers take 4, 8 or 16 KiB of headers and answer 431, nginx 400, beyond that, and only to users of many \
         groups. The check `header_bytes` tells how much reaches a service, before a user finds out.\n\
         Leave headers that the service does not need off authResponseHeaders, `X-authentik-jwt` first, or \
         raise the service's limit."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        // nginx has no 431.
        let refuses = |hop: &&Hop| match hop.status() {
            Some(431) => true,
            Some(400) => {
                hop.response().is_some_and(|answer| answer.text().contains("Header Or Cookie Too Large"))
            }
            _ => false,
        };
        let title = match subject.ledger.hops.iter().find(refuses) {
            Some(hop) => {
                let (host, status) = (hop.request.url.host_str(), hop.status());
                let (host, status) = (host.unwrap_or_default(), status.unwrap_or_default());
                format!("{host} answers {status}: the headers are too big for it")
            }
            None => {
                let finding = subject.finding(|finding| finding.check == "header_bytes")?;
                let reached = finding.hop.filter(|_| finding.expected.ends_with("bytes"))?;
                let hop = subject.ledger.hops.iter().find(|hop| hop.index == reached)?;
                let host = hop.request.url.host_str().unwrap_or_default();
                format!("{host} gets headers of {}", finding.got)
            }
        };
        Some(Diagnosed {
            code: self.code(),
            title,
            pointer: None,
            help:
                "leave headers that the service does not need off authResponseHeaders, the longest and X-authentik-jwt first"
                    .to_owned(),
        })
    }
}
