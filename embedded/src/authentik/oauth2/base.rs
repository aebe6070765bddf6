//! Where a request was sent to: issuers and endpoints are named after it.

use http::HeaderMap;
use http::header::HOST;

/// Scheme and host of a request, without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base(String);

impl Base {
    /// As the headers say: the issuer follows the `Host` that was asked (`truth/authentik`).
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let scheme = text("x-forwarded-proto").filter(|scheme| scheme == "https");
        let host = text(HOST.as_str()).unwrap_or_else(|| "localhost".to_owned());
        Self(format!("{}://{host}", scheme.as_deref().unwrap_or("http")))
    }

    /// A base that is known otherwise: the outpost's `authentik_host`.
    pub(crate) fn at(url: &str) -> Self {
        Self(url.trim_end_matches('/').to_owned())
    }

    /// A URL below it.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The issuer of an application's provider.
    pub(crate) fn issuer(&self, slug: &str, mode: &str) -> String {
        if mode == "global" { self.join("/") } else { self.join(&format!("/application/o/{slug}/")) }
    }
}
