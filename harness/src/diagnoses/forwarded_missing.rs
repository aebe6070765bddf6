//! SSO-F04.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The service does not learn how it was asked.
pub(super) struct ForwardedMissing;

impl Diagnosis for ForwardedMissing {
    fn code(&self) -> &'static str {
        "SSO-F04"
    }

    fn explanation(&self) -> &'static str {
        "The service does not learn how it was asked\n\n\
         Traefik sends X-Forwarded-Host and -Proto to every service. Without them a service builds its links \
         and checks origins by its internal name: \"cross-site POST forbidden\", redirects to http.\n\
         See what strips them between Traefik and the service."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject
            .finding(|finding| finding.what.starts_with("header x-forwarded-") && finding.got == "absent")?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("the service gets no {}", finding.what.trim_start_matches("header ")),
            pointer: None,
            help: "see what strips it between Traefik and the service".to_owned(),
        })
    }
}
