//! SSO-B02.

use serde_json::Value;

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::evidence::header_lines;

/// The bridge does not keep the identity.
pub(super) struct BridgeSilent;

impl Diagnosis for BridgeSilent {
    fn code(&self) -> &'static str {
        "SSO-B02"
    }

    fn explanation(&self) -> &'static str {
        "The bridge does not keep the identity\n\n\
         The bridge must set its cookie with the first answer to a request that carries the headers, for the \
         path `/`. In SvelteKit a hand-made `Response` or `Response.redirect` in `handle` bypasses \
         `cookies.set`, and the cookie never leaves.\n\
         Set the cookie on the response that `resolve` gives, with `path: \"/\"`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, _) = subject
            .at_services()
            .filter_map(|hop| Some((hop, subject.ledger.arrived(hop)?)))
            .find(|(hop, arrived)| {
                let bridge = subject.service_of(hop).is_some_and(|(_, service)| service.bridge.is_some());
                let kept = hop
                    .jar
                    .iter()
                    .any(|change| change.name.starts_with("ak_") && change.attributes.path == "/")
                    || hop.request.cookies().into_iter().any(|(name, _)| name.starts_with("ak_"));
                bridge && names_somebody(arrived) && !kept
            })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "hop {} brings the identity to {} and its bridge keeps nothing",
                hop.number(),
                hop.request.url.host_str().unwrap_or_default()
            ),
            pointer: None,
            help: "set the cookie on the response that `resolve` gives, with `path: \"/\"`".to_owned(),
        })
    }
}

/// Whether what arrived says who the user is.
fn names_somebody(arrived: &Value) -> bool {
    header_lines(arrived)
        .any(|(name, value)| name.eq_ignore_ascii_case("x-authentik-username") && !value.is_empty())
}
