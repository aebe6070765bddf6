//! SSO-M09.

use url::Url;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// MinIO's STS does not answer.
pub(super) struct StsUnreachable;

impl Diagnosis for StsUnreachable {
    fn code(&self) -> &'static str {
        "SSO-M09"
    }

    fn explanation(&self) -> &'static str {
        "MinIO's STS does not answer\n\n\
         AssumeRoleWithWebIdentity is a POST to the root of the S3 API. A proxy that allows some methods \
         only, or that sends the API's host to the console, refuses it.\n\
         Send POST requests of the API's host to MinIO's API port."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let api = Url::parse(&subject.deployment.apps.minio.as_ref()?.api_url).ok()?;
        let hop = subject.ledger.hops.iter().find(|hop| {
            hop.request.url.host_str() == api.host_str()
                && hop.request.method == "POST"
                && matches!(hop.status(), Some(404 | 405 | 501))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "{} answers {} to POST",
                api.host_str().unwrap_or_default(),
                hop.status().unwrap_or_default()
            ),
            pointer: None,
            help: "send POST requests of the API's host to MinIO's API port".to_owned(),
        })
    }
}
