//! SSO-L03.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The logout link leads nowhere.
pub(super) struct NoFlow;

impl Diagnosis for NoFlow {
    fn code(&self) -> &'static str {
        "SSO-L03"
    }

    fn explanation(&self) -> &'static str {
        "The logout link leads nowhere\n\n\
         The flow that the link names does not exist under this slug: Authentik answers 404.\n\
         Compare the slug in the link with the flow's."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let slug = format!("/{}/", subject.deployment.auth.invalidation_flow);
        let hop = subject
            .ledger
            .hops
            .iter()
            .find(|hop| hop.request.url.path().ends_with(&slug) && hop.status() == Some(404))?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("{} answers 404", hop.request.url),
            pointer: subject.line(subject.deployment.auth.logout_url.place),
            help: "compare the slug in the logout link with the flow's".to_owned(),
        })
    }
}
