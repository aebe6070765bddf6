//! SSO-O02.

use ssoproof_deployment::SigningKey;

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::evidence::parameter;

/// A provider has no signing key.
pub(super) struct NoSigningKey;

impl Diagnosis for NoSigningKey {
    fn code(&self) -> &'static str {
        "SSO-O02"
    }

    fn explanation(&self) -> &'static str {
        "A provider has no signing key\n\n\
         Without one Authentik signs with HS256 and the client secret, sends no `kid`, and its key set is `{}`. MinIO \
         then refuses every login with \"Invalid kid value <nil>\". A provider made through the API has no key unless \
         one is given. Any RSA or EC key does; the self-signed certificate that Authentik comes with is one.\n\
         Set the provider's signing key."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let refused = subject.said("Invalid kid value").is_some();
        let symmetric = subject.id_headers().any(|header| {
            header["alg"].as_str().is_some_and(|algorithm| algorithm.starts_with("HS"))
                && header.get("kid").is_none()
        });
        // Without a key that is all that the discovery document offers.
        let offered = subject.ledger.hops.iter().filter_map(|hop| hop.response()?.json()).any(|document| {
            let algorithms = document["id_token_signing_alg_values_supported"].as_array();
            algorithms.is_some_and(|all| *all == ["HS256"])
        });
        let symmetric = symmetric || offered;
        let (name, provider) = subject.deployment.providers().into_iter().find(|(_, provider)| {
            let own = format!("/application/o/{}/", *provider.slug);
            let asked = subject.ledger.hops.iter().any(|hop| {
                let url = &hop.request.url;
                url.path().starts_with(&own)
                    || parameter(url, "client_id").as_ref() == Some(&provider.client_id)
            });
            asked && (*provider.signing_key == SigningKey::None || refused || symmetric)
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the provider of `{name}` has no signing key: its tokens are HS256 without a `kid`"
            ),
            pointer: subject.line(provider.signing_key.place),
            help: format!("give the provider of `{name}` an RSA key"),
        })
    }
}
