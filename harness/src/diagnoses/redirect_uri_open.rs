//! SSO-O04.

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, Subject};
use crate::evidence::parameter;

/// The authorize endpoint sends codes to a URI that is not the app's.
pub(super) struct RedirectUriOpen;

impl Diagnosis for RedirectUriOpen {
    fn code(&self) -> &'static str {
        "SSO-O04"
    }

    fn explanation(&self) -> &'static str {
        "The authorize endpoint sends codes to a URI that is not the app's\n\n\
         A redirect URI with `matching_mode: regex` matches whatever its expression does; an unescaped dot or \
         `.*` lets an attacker have the code sent to a host of their own.\n\
         Use `strict`, or escape and anchor the expression."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, uri, client) =
            subject.ledger.hops.iter().filter(|hop| hop.request.url.path() == AUTHORIZE).find_map(|hop| {
                let query = |name: &str| parameter(&hop.request.url, name);
                let (uri, client) = (query("redirect_uri")?, query("client_id")?);
                let providers = subject.deployment.providers();
                let (_, provider) =
                    providers.into_iter().find(|(_, provider)| provider.client_id == client)?;
                let listed = provider.redirect_uris.iter().any(|one| one.as_str() == uri);
                (!listed && matches!(hop.status(), Some(200 | 302))).then_some((hop, uri, client))
            })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("hop {} accepts `{uri}` as redirect URI of client `{client}`", hop.number()),
            pointer: None,
            help: "use `matching_mode: strict`, or escape and anchor the expression".to_owned(),
        })
    }
}
