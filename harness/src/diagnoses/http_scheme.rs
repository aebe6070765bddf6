//! SSO-F02.

use url::Url;

use super::subject::{Diagnosed, Diagnosis, Subject};
use crate::evidence::parameter;

/// The outpost believes that browsers come by http.
pub(super) struct HttpScheme;

impl Diagnosis for HttpScheme {
    fn code(&self) -> &'static str {
        "SSO-F02"
    }

    fn explanation(&self) -> &'static str {
        "The outpost believes that browsers come by http\n\n\
         Where TLS ends before Traefik, Traefik tells forward auth the scheme of its own socket. The outpost \
         then builds `http://` URLs: the provider refuses the redirect URI, or the `Secure` cookie does not \
         come back.\n\
         List the proxy that ends TLS in `forwardedHeaders.trustedIPs` of the entry point and set \
         `trustForwardHeader: true`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, url) =
            subject.ledger.hops.iter().filter(|hop| hop.request.url.scheme() == "https").find_map(|hop| {
                let to = hop.redirect_target()?;
                let inner = parameter(&to, "redirect_uri").or_else(|| parameter(&to, "rd"));
                let inner = inner.and_then(|inner| Url::parse(&inner).ok());
                let plain = [Some(to), inner].into_iter().flatten().find(|url| {
                    url.scheme() == "http"
                        && subject.deployment.hosts().iter().any(|host| Some(host.as_str()) == url.host_str())
                })?;
                Some((hop, plain))
            })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("the answer of hop {} builds {} by http, though it was asked by https", hop.number(), url),
            pointer: None,
            help: "trust the proxy that ends TLS (`forwardedHeaders.trustedIPs`) and set `trustForwardHeader: true`".to_owned(),
        })
    }
}
