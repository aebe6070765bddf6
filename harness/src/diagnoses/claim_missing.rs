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
        let minio = subject.deployment.apps.minio.as_ref();
        let refused = minio.and_then(|minio| {
            let claim = minio.claim_name.as_str();
            subject.said("claim missing from the JWT token").map(|said| (said, claim, minio.claim_name.place))
        });
        if let Some((said, claim, place)) = refused {
            let read = said.split_whitespace().find(|word| said.contains(&format!("{word} claim missing")));
            return Some(Diagnosed {
                code: self.code(),
                title: format!(
                    "MinIO reads the claim `{}`, which the token does not have",
                    read.unwrap_or(claim)
                ),
                pointer: subject.line(place),
                help:
                    "name the claim that holds the groups: `groups` with Authentik's default scope mappings"
                        .to_owned(),
            });
        }
        // Of a token whose key it does not find MinIO looks at no claim.
        if subject.said("Invalid kid value").is_some() {
            return None;
        }
        let claims = subject.findings.iter().any(|found| found.finding.check == "claims");
        let missing = subject.id_claims().any(|claims| claims.get("groups").is_none());
        let bare = subject
            .id_claims()
            .any(|claims| claims.get("groups").is_none() && claims.get("preferred_username").is_none());
        let traced = subject.role_trace().is_some_and(|line| line.contains("id_token: groups missing"));
        (claims && missing || bare || traced).then(|| Diagnosed {
            code: self.code(),
            title: match subject.groups_elsewhere() {
                Some(path) => format!("the id token has no claim `groups`; it has the groups as `{path}`"),
                None => "the id token has no claim `groups`".to_owned(),
            },
            pointer: None,
            help: "give the provider the default scope mappings, and let the app ask for `profile`"
                .to_owned(),
        })
    }
}
