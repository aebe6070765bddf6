//! SSO-F01.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A client's X-Forwarded-* is believed.
pub(super) struct ForwardedForged;

impl Diagnosis for ForwardedForged {
    fn code(&self) -> &'static str {
        "SSO-F01"
    }

    fn explanation(&self) -> &'static str {
        "A client's X-Forwarded-* is believed\n\n\
         An entry point with `forwardedHeaders.insecure`, or with `trustedIPs` that cover clients, passes on \
         what a client says of itself: the outpost decides for a host and a path that were not asked for, and \
         services log and build links by them.\n\
         List only the proxies before Traefik in `forwardedHeaders.trustedIPs`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.findings.iter().map(|found| &found.finding).find(|finding| {
            let name = finding.what.strip_prefix("header ").unwrap_or_default();
            (name.starts_with("x-forwarded-") || name == "x-real-ip") && finding.got != "absent"
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("the service got {} as {}, which the client made up", finding.what, finding.got),
            pointer: None,
            help: "list only the proxies before Traefik in the entry point's `forwardedHeaders.trustedIPs`"
                .to_owned(),
        })
    }
}
