//! SSO-M04.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// MinIO gets a token that is for another client.
pub(super) struct OtherAudience;

impl Diagnosis for OtherAudience {
    fn code(&self) -> &'static str {
        "SSO-M04"
    }

    fn explanation(&self) -> &'static str {
        "MinIO gets a token that is for another client\n\n\
         MinIO compares `aud`, or `azp`, with its own client id, letter by letter.\n\
         Set `MINIO_IDENTITY_OPENID_CLIENT_ID` to the provider's client id."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let said = subject.said("`azp` claim invalid").or_else(|| subject.said("azp claim"))?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("MinIO refuses the token: {}", said.chars().take(160).collect::<String>()),
            pointer: subject
                .deployment
                .apps
                .minio
                .as_ref()
                .and_then(|minio| subject.line(minio.provider.slug.place)),
            help: "set MinIO's client id to the provider's".to_owned(),
        })
    }
}
