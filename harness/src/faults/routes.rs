//! What a change of Traefik's files does to requests.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::HOST;
use ssoproof_deployment::Deployment;
use ssoproof_deployment::traefik::{Router, unqualified};
use ssoproof_embedded::faults::{Exchange, Files};
use url::Url;

use crate::evidence::RequestRecord;
use crate::routing::Routing;

/// Two folders of Traefik files, and the definitions in which they differ.
pub(super) struct Rerouted {
    before: Arc<Routing>,
    after: Arc<Routing>,
    /// Routers, middlewares and services by kind and name.
    changed: BTreeSet<(String, String)>,
    /// Whether a rule looks at headers.
    by_headers: bool,
    /// What is known of requests by method and URL, where no rule looks at headers.
    known: Mutex<HashMap<(String, String), bool>>,
}

impl Rerouted {
    /// From the folder `before` to `after`; none where that cannot be told by definitions.
    pub(super) fn between(deployment: &Deployment, before: &Path, after: &Path) -> Option<Self> {
        let changed = Files::read(after).ok()?.differences(&Files::read(before).ok()?)?;
        let read = |folder| Routing::read(deployment, folder).ok();
        let (before, after) = (read(before)?, read(after)?);
        let looks = |router: &Router| {
            router.definition.rule.as_ref().is_some_and(|rule| rule.to_ascii_lowercase().contains("header"))
        };
        let by_headers = [&before, &after].iter().any(|routing| routing.config().routers.iter().any(looks));
        Some(Self { before, after, changed, by_headers, known: Mutex::default() })
    }

    /// Whether another router takes `request`, or one that does something else with it.
    pub(super) fn takes(&self, request: &RequestRecord) -> bool {
        let host = request.header("host").unwrap_or_default();
        // What is no plain request for its URL is not worked out here.
        if request.target.is_some() || !of_host(&request.url, host) {
            return true;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = request.headers.iter().filter(|_| self.by_headers);
        let headers = headers.map(|(name, value)| (text(name), text(value))).collect();
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
        if self.by_headers {
            return self.differs(url, method, headers);
        }
        let key = (method.to_owned(), url.to_string());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(key).or_insert_with(|| self.differs(url, method, headers))
    }

    fn differs(&self, url: &Url, method: &str, headers: &Vec<(String, String)>) -> bool {
        let winner = |routing: &'_ Routing| routing.winner(url, method, headers).cloned();
        match (winner(&self.before), winner(&self.after)) {
            (None, None) => false,
            (Some(before), Some(after)) => {
                does(&before) != does(&after) || self.concerns(&before) || self.concerns(&after)
            }
            _ => true,
        }
    }

    /// Whether something that the router uses is defined otherwise.
    fn concerns(&self, router: &Router) -> bool {
        let own = router.middlewares.iter().chain(router.steps.iter().map(|step| &step.name));
        let own = own.map(|name| ("middlewares", name));
        let service = router.service.iter().map(|service| ("services", &service.name));
        let mut all = own.chain(service);
        all.any(|(kind, name)| self.changed.contains(&(kind.to_owned(), unqualified(name).to_owned())))
    }
}

/// What a router does with the requests that it takes, whichever these are.
fn does(router: &Router) -> (&str, &[String], Option<&str>) {
    let service = router.service.as_ref().map(|service| service.name.as_str());
    (&router.name, &router.middlewares, service)
}

/// Whether a `Host` header, when there is one, is that of `url`.
fn of_host(url: &Url, header: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    header.is_empty() || header == host || url.port().is_some_and(|port| header == format!("{host}:{port}"))
}
