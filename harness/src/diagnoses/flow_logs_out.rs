//! SSO-L05.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Signing out of one application ends the whole session.
pub(super) struct FlowLogsOut;

impl Diagnosis for FlowLogsOut {
    fn code(&self) -> &'static str {
        "SSO-L05"
    }

    fn explanation(&self) -> &'static str {
        "Signing out of one application ends the whole session\n\n\
         A provider's invalidation flow with a user-logout stage ends the core session too: signing out of \
         one app signs out of all, which may be wanted and is not what the deployment says.\n\
         Take the stage out of the provider's flow, or say so in the deployment."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let flow = format!("/{}/", subject.deployment.auth.provider_invalidation_flow);
        let at = subject.ledger.hops.iter().find(|hop| {
            hop.request.url.path().ends_with(&flow) || hop.request.url.path().ends_with("/end-session/")
        })?;
        let hop = subject
            .ledger
            .hops
            .iter()
            .filter(|hop| hop.index > at.index && hop.actor == at.actor)
            .find(|hop| subject.goes_to_login(hop))
            // Who goes on to the invalidation flow ends the session there.
            .filter(|hop| subject.invalidation().is_none_or(|out| out.index > hop.index))?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "after the provider's invalidation flow hop {} asks for a login: the core session has ended",
                hop.number()
            ),
            pointer: None,
            help: "take the user-logout stage out of the provider's flow, or say so in the deployment"
                .to_owned(),
        })
    }
}
