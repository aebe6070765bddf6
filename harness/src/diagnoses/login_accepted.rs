//! SSO-A02.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A login succeeds that must be refused.
pub(super) struct LoginAccepted;

impl Diagnosis for LoginAccepted {
    fn code(&self) -> &'static str {
        "SSO-A02"
    }

    fn explanation(&self) -> &'static str {
        "A login succeeds that must be refused\n\n\
         An account that was locked is active again, or a password that should be worth nothing is taken: \
         synchronisation from a directory, a recovery link, or a flow without its password stage.\n\
         Look the user up in Authentik: `is_active`, and the stages of the authentication flow."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.finding(|finding| {
            finding.check == "refused"
                && finding.expected == "refused by sign_in"
                && finding.got == "let through"
        })?;
        let signed_in = subject.ledger.hops.last().filter(|last| subject.signed_in_before(last))?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("the login of `{}` succeeds and must be {}", signed_in.actor, finding.expected),
            pointer: None,
            help: "look at the user's `is_active`, and at the stages of the authentication flow".to_owned(),
        })
    }
}
