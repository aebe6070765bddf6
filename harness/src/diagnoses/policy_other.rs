//! SSO-M02.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A MinIO policy allows other things than promised.
pub(super) struct PolicyOther;

impl Diagnosis for PolicyOther {
    fn code(&self) -> &'static str {
        "SSO-M02"
    }

    fn explanation(&self) -> &'static str {
        "A MinIO policy allows other things than promised\n\n\
         The policy of the group's name is there, and says something else: too wide an `Action` or \
         `Resource`, a `Deny` that wins over every `Allow`, or an old version of it.\n\
         Compare the policy in MinIO (`mc admin policy info`) with the file of the deployment."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.finding(|finding| {
            finding.check == "can" || finding.check == "cannot" || finding.got.contains("AccessDenied")
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("{}: {} where {} is promised", finding.what, finding.got, finding.expected),
            pointer: None,
            help: "compare the policy in MinIO with the file of the deployment".to_owned(),
        })
    }
}
