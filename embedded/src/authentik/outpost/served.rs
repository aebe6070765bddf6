//! Which provider of the outpost serves a host (`12-outpost-auth-endpoint-unauth`, `13-outpost-paths-unauth`).

use http::HeaderMap;
use http::header::HOST;
use serde_json::Value;

use super::cookie;
use crate::authentik::model::{Provider, Proxy};
use crate::authentik::shared::Shared;

/// A provider of the embedded outpost, with what the outpost knows of it.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) provider: Provider,
    pub(super) proxy: Proxy,
    /// The application's slug.
    pub(super) application: String,
    /// The outpost's name.
    pub(super) outpost: String,
    /// Where the outpost reaches the core, without a slash at the end.
    pub(super) core: String,
    /// Where browsers reach it.
    pub(super) browser: String,
}

impl Served {
    /// The provider for the host of a request: that of `X-Forwarded-Host`, else of `Host`, byte for byte. Among
    /// providers of whole domains, the one with the longest cookie domain.
    pub(super) fn at(shared: &Shared, headers: &HeaderMap) -> Option<Self> {
        let host = host(headers)?;
        let state = shared.state();
        let outpost = state.embedded_outpost()?;
        let served = outpost.providers.iter().filter_map(|pk| {
            let provider = state.providers.get(pk)?;
            Some((provider, provider.proxy.as_ref()?, state.application_of(*pk)?))
        });
        let direct = served.clone().find(|(_, proxy, _)| authority(&proxy.external_host) == host);
        let by_domain = || {
            let matching = served.filter(|(_, proxy, _)| {
                let domain = proxy.cookie_domain.trim_start_matches('.');
                is_domain(proxy) && !domain.is_empty() && host.ends_with(domain)
            });
            matching.max_by_key(|(_, proxy, _)| proxy.cookie_domain.trim_start_matches('.').len())
        };
        let (provider, proxy, application) = direct.or_else(by_domain)?;
        let configured = |name: &str| {
            let url = outpost.config.get(name).and_then(Value::as_str).unwrap_or_default();
            Some(url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty())
        };
        // Without `authentik_host` the outpost names the address it listens on (`03-outpost-before-after-providers`).
        let core = configured("authentik_host").unwrap_or_else(|| format!("http://{}", shared.listen));
        Some(Self {
            provider: provider.clone(),
            proxy: proxy.clone(),
            application: application.slug.clone(),
            outpost: outpost.name.clone(),
            browser: configured("authentik_host_browser").unwrap_or_else(|| core.clone()),
            core,
        })
    }

    /// Whether it serves a whole domain.
    pub(super) fn is_domain(&self) -> bool {
        is_domain(&self.proxy)
    }

    /// A URL of the service itself.
    pub(super) fn own(&self, path: &str) -> String {
        format!("{}{path}", self.proxy.external_host.trim_end_matches('/'))
    }

    /// The redirect URI of its logins.
    pub(super) fn callback(&self) -> String {
        self.own("/outpost.goauthentik.io/callback?X-authentik-auth-callback=true")
    }

    /// How its cookie is set.
    pub(super) fn cookie(&self) -> cookie::Scope {
        cookie::Scope {
            name: cookie::name(&self.provider.client_id),
            domain: self.proxy.cookie_domain.clone(),
            secure: self.proxy.external_host.starts_with("https://"),
        }
    }

    /// How long a browser keeps the cookie of a session that begins, in seconds.
    pub(super) fn cookie_age(&self) -> i64 {
        self.provider.access_token_validity.seconds.saturating_add(1)
    }
}

fn is_domain(proxy: &Proxy) -> bool {
    proxy.mode == "forward_domain"
}

fn host(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name)?.to_str().ok().filter(|text| !text.is_empty());
    text("x-forwarded-host").or_else(|| text(HOST.as_str()))
}

/// Host and port of a URL, as they are written.
pub(super) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}
