//! SSO-O01.

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, Subject};
use crate::evidence::parameter;

/// A relying party's redirect URI is not one of its provider's.
pub(super) struct RedirectUri;

impl Diagnosis for RedirectUri {
    fn code(&self) -> &'static str {
        "SSO-O01"
    }

    fn explanation(&self) -> &'static str {
        "A redirect URI is not one of the provider's\n\n\
         Authentik compares a strict redirect URI byte for byte: scheme, host, path and a trailing slash count. It \
         answers 400 \"Redirect URI Error\" and sends the browser nowhere.\n\
         List the very URI that the app sends. Behind a proxy an app may build it with `http` or an internal host: set \
         its public root URL."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.hops_at(AUTHORIZE, 400).find(|hop| {
            hop.response().is_some_and(|response| response.text().contains("Redirect URI Error"))
        })?;
        let query = |name: &str| parameter(&hop.request.url, name);
        let (sent, client) =
            (query("redirect_uri").unwrap_or_default(), query("client_id").unwrap_or_default());
        let providers = subject.deployment.providers();
        let provider = providers.iter().find(|(_, provider)| provider.client_id == client);
        let listed = provider.map(|(_, provider)| {
            let uris: Vec<&str> = provider.redirect_uris.iter().map(|uri| uri.as_str()).collect();
            uris.join(", ")
        });
        let place = provider.and_then(|(_, provider)| Some(provider.redirect_uris.first()?.place));
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "`{sent}` is not a redirect URI of client `{client}`, which has {}",
                listed.unwrap_or_else(|| "none here".to_owned())
            ),
            pointer: place.and_then(|place| subject.line(place)),
            help: "list the very URI that the app sends; scheme, host, path and a trailing slash count"
                .to_owned(),
        })
    }
}
