//! Which routers are meant.

use std::fmt;
use std::str::FromStr;

use ssoproof_deployment::Deployment;
use ssoproof_deployment::traefik::{Outline, OutlinedRouter, Rule, qualified};
use url::Url;

use crate::name::MiddlewareName;

/// Where Authentik's outpost answers on every host.
const OUTPOST: &str = "/outpost.goauthentik.io";

/// A host, or every host below a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// `docs.example.org`.
    Host(String),
    /// `*.example.org`, at any depth.
    Below(String),
}

/// Why a text is no [`HostPattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no host: `docs.example.org`, or `*.example.org` for every host below")]
pub struct BadHost(String);

impl HostPattern {
    /// The host or the domain.
    fn name(&self) -> &str {
        let (Self::Host(name) | Self::Below(name)) = self;
        name
    }
}

impl FromStr for HostPattern {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let lower = text.trim().to_ascii_lowercase();
        let (below, name) = match lower.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, lower.as_str()),
        };
        let labelled = name.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        });
        if !labelled {
            return Err(BadHost(text.to_owned()));
        }
        Ok(if below { Self::Below(name.to_owned()) } else { Self::Host(name.to_owned()) })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => formatter.write_str(host),
            Self::Below(domain) => write!(formatter, "*.{domain}"),
        }
    }
}

/// The hosts to protect, and the routers that are left alone whatever their rule is.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    hosts: Vec<HostPattern>,
    /// Names of routers with their provider.
    except: Vec<String>,
    /// Hosts that are Authentik's own.
    auth_hosts: Vec<String>,
}

impl Scope {
    /// The routers of `hosts`.
    pub fn of_hosts(hosts: impl IntoIterator<Item = HostPattern>) -> Self {
        Self { hosts: hosts.into_iter().collect(), ..Self::default() }
    }

    /// The routers of the services behind forward auth.
    pub fn of_deployment(deployment: &Deployment) -> Self {
        let host = |url: &str| Some(Url::parse(url).ok()?.host_str()?.to_ascii_lowercase());
        Self {
            hosts: deployment
                .services
                .values()
                .filter_map(|service| host(&service.url))
                .map(HostPattern::Host)
                .collect(),
            except: vec![qualified(&deployment.traefik.outpost_router)],
            auth_hosts: host(&deployment.auth.url).into_iter().collect(),
        }
    }

    /// Leaves the router called `name` alone.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.except.push(qualified(name));
        self
    }

    /// The hosts to protect.
    pub fn hosts(&self) -> &[HostPattern] {
        &self.hosts
    }

    /// Whether `router`, in a folder whose files define `context`, should have `middleware`.
    ///
    /// A router that only redirects, to `noop@internal`, reaches nobody and needs none. The routers to Authentik are
    /// none of them either: those that forward to the address that the middleware asks, those
    /// that take only the outpost's paths, and those of Authentik's own host.
    pub fn means(&self, router: &OutlinedRouter, middleware: &MiddlewareName, context: &Outline) -> bool {
        let Some(text) = &router.rule else { return false };
        if router.service.as_deref() == Some("noop@internal") {
            return false;
        }
        if self.except.contains(&qualified(&router.name)) || forwards_to_auth(router, middleware, context) {
            return false;
        }
        let Ok(rule) = Rule::parse(text) else {
            // Traefik does not use the router either, unless it reads rules in another way.
            let text = text.to_ascii_lowercase();
            return !text.contains(OUTPOST) && self.hosts.iter().any(|host| text.contains(host.name()));
        };
        let of_our_hosts = self.hosts.iter().any(|host| match host {
            HostPattern::Host(host) => rule.may_match_host(host),
            HostPattern::Below(domain) => rule.may_match_below(domain),
        });
        let only_auth = || {
            let named = rule.hosts();
            !named.is_empty() && named.iter().all(|host| self.auth_hosts.iter().any(|auth| auth == host))
        };
        of_our_hosts && !rule.is_below(OUTPOST) && !only_auth()
    }
}

/// Whether every server of the router's service is the one that the middleware asks.
fn forwards_to_auth(router: &OutlinedRouter, middleware: &MiddlewareName, context: &Outline) -> bool {
    let in_file = |name: &str| qualified(name).strip_suffix("@file").map(ToOwned::to_owned);
    let origin = |url: &str| {
        let url = Url::parse(url).ok()?;
        Some((url.host_str()?.to_ascii_lowercase(), url.port_or_known_default()))
    };
    let asked = in_file(middleware.as_str())
        .and_then(|name| context.auths.get(&name))
        .and_then(|address| origin(address));
    let servers =
        router.service.as_deref().and_then(in_file).and_then(|service| context.servers.get(&service));
    match (asked, servers) {
        (Some(asked), Some(servers)) => {
            !servers.is_empty() && servers.iter().all(|url| origin(url).as_ref() == Some(&asked))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{HostPattern, Scope};
    use ssoproof_deployment::Source;
    use ssoproof_deployment::traefik::Outline;

    const FILE: &str = r#"
http:
  middlewares: {authentik: {forwardAuth: {address: "http://auth:9000/outpost.goauthentik.io/auth/traefik"}}}
  services:
    authentik: {loadBalancer: {servers: [{url: "http://auth:9000"}]}}
    app: {loadBalancer: {servers: [{url: "http://app"}]}}
  routers:
    auth: {rule: "Host(`auth.example.org`)", service: authentik}
    outpost: {rule: "HostRegexp(`.+`) && PathPrefix(`/outpost.goauthentik.io/`)", service: elsewhere@docker}
    app: {rule: "Host(`app.example.org`)", service: app}
    api: {rule: "Host(`App.example.org`) && PathPrefix(`/api`)", service: app}
    all: {rule: "PathPrefix(`/`)", service: app}
    pattern: {rule: "HostRegexp(`^[a-z]+[.]example[.]org$`)", service: app}
    other: {rule: "Host(`www.example.com`)", service: app}
    not: {rule: "!Host(`app.example.org`)", service: app}
    broken: {rule: "Host(app.example.org)", service: app}
    redirect: {rule: "HostRegexp(`.+`)", service: noop@internal}
    internal: {rule: "Host(`app.example.org`) && Path(`/ping`)", service: ping@internal}
"#;

    fn meant(scope: &Scope) -> Vec<String> {
        let outline = Outline::read(&Source::inline("a.yml", FILE)).unwrap();
        let middleware = "authentik".parse().unwrap();
        let routers = outline.routers.iter().filter(|router| scope.means(router, &middleware, &outline));
        routers.map(|router| router.name.value.clone()).collect()
    }

    #[test]
    fn routers_of_a_host_are_meant_and_those_to_authentik_are_not() {
        let scope = |host: &str| Scope::of_hosts([host.parse::<HostPattern>().unwrap()]);
        assert_eq!(meant(&scope("APP.example.org")), ["app", "api", "all", "pattern", "broken", "internal"]);
        assert_eq!(meant(&scope("auth.example.org")), ["all", "pattern", "not"]);
        assert_eq!(
            meant(&scope("*.example.org")),
            ["app", "api", "all", "pattern", "not", "broken", "internal"]
        );
        assert_eq!(meant(&scope("www.example.com").without("all")), ["other", "not"]);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "*", "*.", "a..b", "https://a", "a/b", "a.*.b"] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
    }
}
