//! SSO-O07.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The discovery document names other URLs than the deployment.
pub(super) struct Issuer;

impl Diagnosis for Issuer {
    fn code(&self) -> &'static str {
        "SSO-O07"
    }

    fn explanation(&self) -> &'static str {
        "The discovery document names other URLs than the deployment\n\n\
         Clients compare the issuer of the discovery document, of the tokens, and of their own settings byte \
         by byte: another case, scheme, port or a slash less, and they refuse every token. Authentik builds \
         it from the Host and the scheme that reach it, and from the provider's issuer mode.\n\
         See that X-Forwarded-Proto and Host reach Authentik, and that the provider's issuer mode is \"per \
         provider\"."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let base = subject.deployment.auth.url.trim_end_matches('/').to_owned();
        let (hop, key, value) =
            subject.ledger.hops.iter().filter(|hop| hop.request.url.path().ends_with(DISCOVERY)).find_map(
                |hop| {
                    let document = hop.response()?.json()?;
                    let path = hop.request.url.path().trim_end_matches(DISCOVERY.trim_start_matches('/'));
                    let own = format!("{base}{path}");
                    let fields = document
                        .as_object()?
                        .iter()
                        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
                    let wrong = fields.into_iter().find(|(key, value)| match key.as_str() {
                        "issuer" => *value != own,
                        key => (key.ends_with("_endpoint") || key == "jwks_uri") && !value.starts_with(&base),
                    })?;
                    Some((hop, wrong.0, wrong.1))
                },
            )?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the discovery document (hop {}) has `{key}` {value}; the deployment is at {base}",
                hop.number()
            ),
            pointer: subject.line(subject.deployment.auth.url.place),
            help:
                "see that X-Forwarded-Proto and Host reach Authentik, and what the provider's issuer mode is"
                    .to_owned(),
        })
    }
}

const DISCOVERY: &str = "/.well-known/openid-configuration";
