//! Which application a host belongs to, among those of the embedded outpost.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as Extract;
use http::header::HOST;
use http::{HeaderMap, Response, StatusCode};
use url::Url;

use super::super::flows;
use super::super::model::{Provider, Proxy};
use super::super::oauth2::Base;
use super::super::shared::Shared;
use super::answer;

/// An application of the outpost.
pub(super) struct Application {
    pub(super) provider: Provider,
    pub(super) proxy: Proxy,
    pub(super) slug: String,
    /// Where browsers find Authentik.
    pub(super) base: Base,
    /// The outpost's name.
    pub(super) outpost: String,
}

impl Application {
    /// Where the browser comes back after a login.
    pub(super) fn redirect_uri(&self) -> String {
        format!(
            "{}/outpost.goauthentik.io/callback?X-authentik-auth-callback=true",
            self.proxy.external_host.trim_end_matches('/')
        )
    }

    /// Whether the service is on HTTPS.
    pub(super) fn secure(&self) -> bool {
        self.proxy.external_host.starts_with("https:")
    }
}

/// The host that a request is about: `X-Forwarded-Host`, else `Host`.
pub(super) fn host(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("x-forwarded-host").or_else(|| text(HOST.as_str())).unwrap_or_default().to_owned()
}

/// The application of `host`, byte for byte: another case or a port is another host
/// (`12-outpost-auth-endpoint-unauth`).
pub(super) fn find(shared: &Shared, host: &str) -> Option<Application> {
    let state = shared.state();
    let outpost = state.embedded_outpost()?;
    let found = outpost.providers.iter().filter_map(|pk| state.providers.get(pk)).find(|provider| {
        let Some(proxy) = &provider.proxy else { return false };
        let own = authority(&proxy.external_host).as_deref() == Some(host);
        let below = proxy.mode == "forward_domain"
            && !proxy.cookie_domain.is_empty()
            && (host == proxy.cookie_domain
                || host.ends_with(&format!(".{}", proxy.cookie_domain.trim_start_matches('.'))));
        own || below
    })?;
    let configured = outpost.config.get("authentik_host").and_then(|host| host.as_str()).unwrap_or_default();
    let base =
        if configured.is_empty() { format!("http://{}", shared.listen) } else { configured.to_owned() };
    Some(Application {
        proxy: found.proxy.clone()?,
        slug: state.application_of(found.pk).map(|found| found.slug.clone()).unwrap_or_default(),
        provider: found.clone(),
        base: Base::at(&base),
        outpost: outpost.name.clone(),
    })
}

fn authority(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// A host that is no application's: the core's 404 page, for the outpost hands it over.
pub(super) fn unknown_host(shared: &Shared, host: &str) -> Response<Body> {
    shared.logs.write("outpost", format!("no app for hostname `{host}`"));
    flows::answer::not_found()
}

/// A path below `/outpost.goauthentik.io/` that is none.
pub(super) async fn unknown_path(
    Extract(shared): Extract<Arc<Shared>>,
    headers: HeaderMap,
) -> Response<Body> {
    let host = host(&headers);
    match find(&shared, &host) {
        Some(_) => answer::error(StatusCode::NOT_FOUND, "404 page not found"),
        None => unknown_host(&shared, &host),
    }
}
