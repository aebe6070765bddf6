//! SSO-F01.

use super::subject::{Diagnosed, Diagnosis, Subject, by_authentik};

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
        let finding = subject.finding(|finding| {
            let name = finding.what.strip_prefix("header ").unwrap_or_default();
            (name.starts_with("x-forwarded-") || name == "x-real-ip") && finding.got != "absent"
        });
        let led = subject.ledger.hops.iter().find(|hop| {
            let forged = hop.request.header("x-forwarded-host").map(str::to_owned);
            let own = hop.request.url.host_str();
            let to = hop.redirect_target().map(|to| to.query().unwrap_or_default().to_owned());
            // It sends the browser back there, or has no provider for it.
            let unknown = hop.status() == Some(404) && by_authentik(hop);
            forged.is_some_and(|forged| {
                Some(forged.as_str()) != own && (unknown || to.is_some_and(|to| to.contains(&forged)))
            })
        });
        let title = match (finding, led) {
            (Some(finding), _) => {
                format!("the service got {} as {}, which the client made up", finding.what, finding.got)
            }
            (None, Some(hop)) => {
                format!(
                    "the outpost believes the X-Forwarded-Host that the client of hop {} made up",
                    hop.number()
                )
            }
            (None, None) => return None,
        };
        Some(Diagnosed {
            code: self.code(),
            title,
            pointer: None,
            help: "list only the proxies before Traefik in the entry point's `forwardedHeaders.trustedIPs`"
                .to_owned(),
        })
    }
}
