//! SSO-M10.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The signature of S3 requests does not fit.
pub(super) struct SignedHost;

impl Diagnosis for SignedHost {
    fn code(&self) -> &'static str {
        "SSO-M10"
    }

    fn explanation(&self) -> &'static str {
        "The signature of S3 requests does not fit\n\n\
         S3 clients sign the Host header. A proxy that rewrites it (`passHostHeader: false`), or that adds or \
         drops a part of the path, makes every signature wrong.\n\
         Pass the Host header on as it came."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let said = subject.said("SignatureDoesNotMatch")?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("MinIO refuses the signature: {}", said.chars().take(120).collect::<String>()),
            pointer: None,
            help: "pass the Host header and the path on as they came".to_owned(),
        })
    }
}
