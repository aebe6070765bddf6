//! SSO-O12.

use url::Url;

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, OUTPOST, Subject};
use crate::evidence::parameter;

/// The authorize endpoint sends browsers back without a code or a state.
pub(super) struct NoCode;

impl Diagnosis for NoCode {
    fn code(&self) -> &'static str {
        "SSO-O12"
    }

    fn explanation(&self) -> &'static str {
        "The authorize endpoint sends browsers back without a code or a state\n\n\
         The answer of the authorize endpoint must carry `code` and the very `state` of the request, or \
         `error`. A proxy that rewrites query strings or a filter that removes \"suspicious\" parameters takes \
         them away: the client answers 400, or \"state mismatch\".\n\
         Compare the Location that Authentik sends with the one that arrives."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, missing) =
            subject.ledger.hops.iter().filter(|hop| hop.request.url.path() == AUTHORIZE).find_map(|hop| {
                // The way back to the outpost may be at Authentik's own host.
                let back = |to: &Url| !subject.is_auth(to) || to.path().starts_with(OUTPOST);
                let to = hop.redirect_target().filter(back)?;
                let has = |name: &str| parameter(&to, name).is_some();
                let sent = parameter(&hop.request.url, "state").is_some();
                match (has("error"), has("code"), !sent || has("state")) {
                    (true, ..) | (_, true, true) => None,
                    (_, false, _) => Some((hop, "code")),
                    (_, true, false) => Some((hop, "state")),
                }
            })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the authorize endpoint sends the browser back without `{missing}` (hop {})",
                hop.number()
            ),
            pointer: None,
            help: "compare the Location that Authentik sends with the one that arrives".to_owned(),
        })
    }
}
