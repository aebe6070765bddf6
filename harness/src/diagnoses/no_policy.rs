//! SSO-M01.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// No policy has the name of any group of the user.
pub(super) struct NoPolicy;

impl Diagnosis for NoPolicy {
    fn code(&self) -> &'static str {
        "SSO-M01"
    }

    fn explanation(&self) -> &'static str {
        "No MinIO policy has the name of a group of the user\n\n\
         MinIO takes the names in the claim as names of policies, letter for letter: case counts, a name with a comma \
         is two names. Names without a policy are dropped; when none is left the login is refused.\n\
         Make a policy of the group's very name."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let minio = subject.deployment.apps.minio.as_ref()?;
        let got = subject.said("None of the given policies")?;
        let asked = got.split('`').nth(1).unwrap_or_default().to_owned();
        // A claim that names nothing is another cause.
        if asked.is_empty() {
            return None;
        }
        let known: Vec<&str> = minio.policies.keys().map(String::as_str).collect();
        Some(Diagnosed {
            code: self.code(),
            title: format!("MinIO has no policy of the name `{asked}`; it has {}", known.join(", ")),
            pointer: subject.line(minio.claim_name.place),
            help: "make a policy of the group's very name; case counts".to_owned(),
        })
    }
}
