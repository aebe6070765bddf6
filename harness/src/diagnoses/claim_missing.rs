//! SSO-O03.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A relying party reads a claim that the token does not have.
pub(super) struct ClaimMissing;

impl Diagnosis for ClaimMissing {
    fn code(&self) -> &'static str {
        "SSO-O03"
    }

    fn explanation(&self) -> &'static str {
        "A relying party reads a claim that the token does not have\n\n\
         MinIO takes policies from the claim that `claim_name` names; Grafana's expression reads the id token before it \
         asks userinfo. Authentik puts `groups` into the token with the default `profile` scope mapping; a provider \
         without scope mappings, or an app that does not ask for `profile`, gets none.\n\
         Name the claim as the token has it, and give the provider the scope mappings."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let minio = subject.deployment.apps.minio.as_ref()?;
        let claim = minio.claim_name.as_str();
        let words = format!("{claim} claim missing from the JWT token");
        subject.said(&words).is_some().then(|| Diagnosed {
            code: self.code(),
            title: format!("MinIO reads the claim `{claim}`, which the token does not have"),
            pointer: subject.line(minio.claim_name.place),
            help: "name the claim that holds the groups: `groups` with Authentik's default scope mappings"
                .to_owned(),
        })
    }
}
