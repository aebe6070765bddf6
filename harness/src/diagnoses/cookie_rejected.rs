//! SSO-C01.

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::evidence::ChangeKind;

/// The browser does not take a cookie.
pub(super) struct CookieRejected;

impl Diagnosis for CookieRejected {
    fn code(&self) -> &'static str {
        "SSO-C01"
    }

    fn explanation(&self) -> &'static str {
        "The browser does not take a cookie\n\n\
         A browser takes a cookie only for its own host or a domain above it, never for a public suffix, and \
         a `Secure` one only over https. One that it drops is as if it was never set: the callback then fails \
         with a state mismatch, or the login has no end. With a provider for a whole domain, the callback's \
         host must be below the cookie domain.\n\
         Give the provider a cookie domain that its external host is below, or none."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, change, reason) = subject.ledger.hops.iter().find_map(|hop| {
            hop.jar.iter().find_map(|change| match &change.kind {
                ChangeKind::Rejected { reason } => Some((hop, change, reason.clone())),
                _ => None,
            })
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the browser drops cookie `{}` of {}: {reason}",
                change.name,
                hop.request.url.host_str().unwrap_or_default(),
            ),
            pointer: None,
            help: "give the provider a cookie domain that the host is below, or none".to_owned(),
        })
    }
}
