//! SSO-O06.

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, Subject};
use crate::evidence::parameter;

/// Authentik does not know the client id.
pub(super) struct ClientUnknown;

impl Diagnosis for ClientUnknown {
    fn code(&self) -> &'static str {
        "SSO-O06"
    }

    fn explanation(&self) -> &'static str {
        "Authentik does not know the client id\n\n\
         The authorize endpoint answers 400 and sends the browser nowhere: the provider was made anew, is of \
         another instance, or has no application.\n\
         Compare the provider's client id with the app's."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject
            .hops_at(AUTHORIZE, 400)
            .find(|hop| hop.response().is_some_and(|response| response.text().contains("client_id")))?;
        let id = parameter(&hop.request.url, "client_id");
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "Authentik does not know client `{}` (hop {})",
                id.unwrap_or_default(),
                hop.number()
            ),
            pointer: None,
            help: "compare the provider's client id with the app's".to_owned(),
        })
    }
}
