//! SSO-H04.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// An identity header has another value than promised.
pub(super) struct HeaderWrong;

impl Diagnosis for HeaderWrong {
    fn code(&self) -> &'static str {
        "SSO-H04"
    }

    fn explanation(&self) -> &'static str {
        "An identity header has another value than promised\n\n\
         The service got the header, with a value that is not the user's: a scope mapping gives another \
         claim, something between gateway and service keeps or rewrites headers, or a session of before a \
         change is still in use, for the values are those of the login.\n\
         Compare what Authentik answers to forward auth with what the service gets."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.finding(|finding| finding.what.to_ascii_lowercase().contains("x-authentik"))?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("{} is {} where {} is promised", finding.what, finding.got, finding.expected),
            pointer: None,
            help: "compare what Authentik answers to forward auth with what the service gets".to_owned(),
        })
    }
}
