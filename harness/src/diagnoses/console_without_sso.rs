//! SSO-M08.

use url::Url;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// MinIO's console offers no login by the provider.
pub(super) struct ConsoleWithoutSso;

impl Diagnosis for ConsoleWithoutSso {
    fn code(&self) -> &'static str {
        "SSO-M08"
    }

    fn explanation(&self) -> &'static str {
        "MinIO's console offers no login by the provider\n\n\
         The login by OpenID Connect was taken out of the community console with RELEASE.2025-05-24; STS goes \
         on working. The same shows when no provider is configured, or when MinIO has not reached it.\n\
         Use an older release or STS, and see that `config_url` answers."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let console = Url::parse(&subject.deployment.apps.minio.as_ref()?.url).ok()?;
        let hop = subject.ledger.hops.iter().find(|hop| {
            let strategy =
                hop.response().and_then(|answer| answer.json()).map(|body| body["loginStrategy"].clone());
            hop.request.url.host_str() == console.host_str()
                && strategy.is_some_and(|strategy| strategy == "form")
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the console at {} offers a password form and no provider (hop {})",
                console.host_str().unwrap_or_default(),
                hop.number()
            ),
            pointer: None,
            help: "use a release whose console has the login by the provider, or STS alone".to_owned(),
        })
    }
}
