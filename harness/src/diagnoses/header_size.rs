//! SSO-H07.

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::checks::Finding;
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
         Many servers take 4, 8 or 16 KiB of headers and answer 431, nginx 400, beyond that, and only to users of \
         many groups. The check `header_bytes` tells how much reaches a service, before a user finds out.\n\
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
        let (hop, what) = match subject.ledger.hops.iter().find(refuses) {
            Some(hop) => {
                let status = hop.status().unwrap_or_default();
                (hop, format!("answers {status}: the headers are too big for it"))
            }
            None => {
                let too_long = |finding: &Finding| {
                    finding.check == "header_bytes" && finding.expected.ends_with("bytes")
                };
                let finding = subject.finding(too_long)?;
                let hop = subject.ledger.hop(finding.hop?)?;
                (hop, format!("gets headers of {}", finding.got))
            }
        };
        Some(Diagnosed {
            code: self.code(),
            title: format!("{} {what}", hop.request.url.host_str().unwrap_or_default()),
            pointer: None,
            help:
                "leave headers that the service does not need off authResponseHeaders, the longest and X-authentik-jwt first"
                    .to_owned(),
        })
    }
}
