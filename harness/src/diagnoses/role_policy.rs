//! SSO-M03.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// MinIO gives policies that are not those of the groups.
pub(super) struct RolePolicy;

impl Diagnosis for RolePolicy {
    fn code(&self) -> &'static str {
        "SSO-M03"
    }

    fn explanation(&self) -> &'static str {
        "MinIO gives policies that are not those of the groups\n\n\
         With `role_policy` set MinIO gives that policy to everybody the provider lets through and looks at \
         no claim.\n\
         Unset `MINIO_IDENTITY_OPENID_ROLE_POLICY` and set the claim name."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let said = subject.said("role/dummy-internal").or_else(|| {
            let finding = subject.findings.iter().map(|found| &found.finding);
            let mut policies = finding.filter(|finding| finding.check == "policies");
            policies.find(|finding| !finding.got.starts_with("refused")).map(|finding| finding.got.clone())
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("MinIO does not go by the groups: {}", said.chars().take(160).collect::<String>()),
            pointer: subject
                .deployment
                .apps
                .minio
                .as_ref()
                .and_then(|minio| subject.line(minio.claim_name.place)),
            help: "see whether a role policy is set: then no claim is looked at".to_owned(),
        })
    }
}
