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
        let finding = subject
            .findings
            .iter()
            .map(|found| &found.finding)
            .find(|finding| finding.check == "policies" || finding.check == "refused")?;
        (!finding.got.starts_with("refused")).then(|| Diagnosed {
            code: self.code(),
            title: format!("MinIO gives {} where {} is promised", finding.got, finding.expected),
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
