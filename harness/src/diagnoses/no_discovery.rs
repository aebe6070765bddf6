//! SSO-O08.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// An application has no discovery document.
pub(super) struct NoDiscovery;

impl Diagnosis for NoDiscovery {
    fn code(&self) -> &'static str {
        "SSO-O08"
    }

    fn explanation(&self) -> &'static str {
        "An application has no discovery document\n\n\
         The application does not exist under this slug, has no provider, or the blueprints that make it are \
         not applied yet: a healthy container is no finished configuration.\n\
         Look the slug up in Authentik, and wait for the document to answer before anything else starts."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.hops_at("/.well-known/openid-configuration", 404).next()?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("{} answers 404", hop.request.url),
            pointer: None,
            help: "see whether the application exists under this slug and its blueprint is applied"
                .to_owned(),
        })
    }
}
