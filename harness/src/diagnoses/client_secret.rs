//! SSO-O05.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The token endpoint refuses the app's credentials.
pub(super) struct ClientSecret;

impl Diagnosis for ClientSecret {
    fn code(&self) -> &'static str {
        "SSO-O05"
    }

    fn explanation(&self) -> &'static str {
        "The token endpoint refuses the app's credentials\n\n\
         Authentik answers `invalid_client`: the secret of the app and of the provider differ, by a rotation \
         that only one of them learnt of, or by a space or line end that was copied along.\n\
         Copy the provider's client secret into the app again."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let said =
            subject.said("invalid_client").is_some() || subject.logged_by_grafana("invalid_client").is_some();
        said.then(|| Diagnosed {
            code: self.code(),
            title:
                "the token endpoint answers `invalid_client`: secret or client id of app and provider differ"
                    .to_owned(),
            pointer: None,
            help: "copy the provider's client id and secret into the app again".to_owned(),
        })
    }
}
