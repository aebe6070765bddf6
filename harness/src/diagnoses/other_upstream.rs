//! SSO-R09.

use url::Url;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A host is routed to another part than its own.
pub(super) struct OtherUpstream;

impl Diagnosis for OtherUpstream {
    fn code(&self) -> &'static str {
        "SSO-R09"
    }

    fn explanation(&self) -> &'static str {
        "A host is routed to another part than its own\n\n\
         Two services of a Traefik file are mixed up, or a port: MinIO's console and its S3 API, for one, \
         listen on two ports, and the API answers a browser with XML (`InvalidBucketName` for \
         `/oauth_callback`).\n\
         Point the router's service at the upstream that is named."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let routing = subject.routing().ok()?;
        let deployment = subject.deployment;
        let services = deployment.services.values().map(|service| (&service.url, &service.upstream));
        let grafana = deployment.apps.grafana.iter().map(|app| (&app.url, &app.upstream));
        let minio = deployment
            .apps
            .minio
            .iter()
            .flat_map(|app| [(&app.url, &app.upstream), (&app.api_url, &app.api_upstream)]);
        let (url, upstream, router, target) =
            services.chain(grafana).chain(minio).find_map(|(url, upstream)| {
                let (url, wanted) = (Url::parse(url).ok()?, Url::parse(upstream).ok()?);
                let dialled =
                    subject.ledger.hops.iter().any(|hop| hop.request.url.host_str() == url.host_str());
                let router = routing.taken(&url).winner.filter(|_| dialled)?;
                let target = router.service.as_ref()?.servers.first()?.url.clone();
                let place = |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
                (place(&target) != place(&wanted)).then_some((url, upstream, router, target))
            })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "router `{}` sends {} to {target}, and it is at {}",
                router.name,
                url.host_str().unwrap_or_default(),
                **upstream
            ),
            pointer: Some(routing.pointer(router.at())),
            help: format!("point the router's service at {}", **upstream),
        })
    }
}
