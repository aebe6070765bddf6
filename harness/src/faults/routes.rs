//! What a change of Traefik's files does to requests.

use std::collections::BTreeSet;
use std::path::Path;

use http::header::HOST;
use ssoproof_deployment::Deployment;
use ssoproof_deployment::traefik::{Router, unqualified};
use ssoproof_embedded::faults::{Exchange, Files};
use url::Url;

use crate::evidence::RequestRecord;
use crate::routing::Routing;

/// Two folders of Traefik files, and the definitions in which they differ.
pub(super) struct Rerouted {
    before: Routing,
    after: Routing,
    /// Names of routers, middlewares and services.
    changed: BTreeSet<String>,
}

impl Rerouted {
    /// From the folder `before` to `after`; none where that cannot be told by definitions.
    pub(super) fn between(deployment: &Deployment, before: &Path, after: &Path) -> Option<Self> {
        let changed = Files::read(after).ok()?.differences(&Files::read(before).ok()?)?;
        let read = |folder| Routing::read(deployment, folder).ok();
        Some(Self { before: read(before)?, after: read(after)?, changed })
    }

    /// Whether another router takes `request`, or one that does something else with it.
    pub(super) fn takes(&self, request: &RequestRecord) -> bool {
        let host = request.header("host").unwrap_or_default();
        // What is no plain request for its URL is not worked out here.
        if request.target.is_some() || !of_host(&request.url, host) {
            return true;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = request.headers.iter().map(|(name, value)| (text(name), text(value))).collect();
        self.reroutes(&request.url, &request.method, &headers)
    }

    /// The same for a request that has reached a part by way of the gateway.
    pub(super) fn takes_exchange(&self, exchange: &Exchange) -> bool {
        let request = &exchange.request;
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let url = Url::parse(&format!("https://{host}{path}"));
        url.is_ok_and(|url| self.reroutes(&url, request.method().as_str(), &Vec::new()))
    }

    fn reroutes(&self, url: &Url, method: &str, headers: &Vec<(String, String)>) -> bool {
        let winner = |routing: &'_ Routing| routing.winner(url, method, headers).cloned();
        match (winner(&self.before), winner(&self.after)) {
            (None, None) => false,
            (Some(before), Some(after)) => {
                before.name != after.name || self.concerns(&before) || self.concerns(&after)
            }
            _ => true,
        }
    }

    /// Whether the router, or something that it uses, is defined otherwise.
    fn concerns(&self, router: &Router) -> bool {
        let steps = router.steps.iter().map(|step| &step.name);
        let service = router.service.iter().map(|service| &service.name);
        let names = [&router.name].into_iter().chain(&router.middlewares).chain(steps).chain(service);
        names.into_iter().any(|name| self.changed.contains(unqualified(name)))
    }
}

/// Whether a `Host` header, when there is one, is that of `url`.
fn of_host(url: &Url, header: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    header.is_empty() || header == host || url.port().is_some_and(|port| header == format!("{host}:{port}"))
}
