//! SSO-O02.

use ssoproof_deployment::SigningKey;

use super::subject::{Diagnosed, Diagnosis, Subject};

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
        let seen = subject.findings.iter().any(|found| {
            let text = format!("{} {}", found.finding.what, found.finding.got);
            text.contains("Invalid kid value") || text.contains("HS256") || text.contains("header: kid")
        });
        let (name, provider) = subject.deployment.providers().into_iter().find(|(name, provider)| {
            *provider.signing_key == SigningKey::None && (seen || subject.case.id.contains(name))
        })?;
        seen.then(|| Diagnosed {
            code: self.code(),
            title: format!(
                "the provider of `{name}` has no signing key: its tokens are HS256 without a `kid`"
            ),
            pointer: subject.line(provider.signing_key.place),
            help: format!("give the provider of `{name}` an RSA key"),
        })
    }
}
