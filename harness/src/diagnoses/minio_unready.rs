//! SSO-M05.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// MinIO has not found its provider.
pub(super) struct MinioUnready;

impl Diagnosis for MinioUnready {
    fn code(&self) -> &'static str {
        "SSO-M05"
    }

    fn explanation(&self) -> &'static str {
        "MinIO has not found its provider\n\n\
         MinIO reads the discovery document and the keys when it starts, and keeps answering \"IAM sub-system \
         is being initialized\" until that works: a wrong `config_url`, a certificate that it does not trust, \
         a key set that it cannot read.\n\
         Open the `config_url` from MinIO's container."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let said = subject
            .said("IAM sub-system is being initialized")
            .or_else(|| subject.said("STSIAMNotInitialized"))?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "MinIO has not found its provider: {}",
                said.chars().take(120).collect::<String>()
            ),
            pointer: None,
            help: "open MinIO's `config_url` from its container, the key set too".to_owned(),
        })
    }
}
