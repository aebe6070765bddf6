//! SSO-A03.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The login page tells why it refuses.
pub(super) struct LoginTells;

impl Diagnosis for LoginTells {
    fn code(&self) -> &'static str {
        "SSO-A03"
    }

    fn explanation(&self) -> &'static str {
        "The login page tells why it refuses\n\n\
         A stranger who learns whether a name exists has half of a login. Wrong password, unknown user and \
         locked user must be refused with the same words.\n\
         See what rewrites the flow's answers, or which stage shows another text."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.finding(|finding| {
            let words = finding.check == "refused" && matches!(finding.what.as_str(), "message" | "code");
            let hop = finding.hop.and_then(|hop| subject.ledger.hop(hop));
            words && hop.is_some_and(|hop| hop.request.url.path().starts_with("/api/v3/flows/executor/"))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the login is refused with {} where {} is promised",
                finding.got, finding.expected
            ),
            pointer: None,
            help: "refuse a wrong password, an unknown and a locked user with the same words".to_owned(),
        })
    }
}
