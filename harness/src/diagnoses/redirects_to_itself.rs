//! SSO-R10.

use http::header::SET_COOKIE;

use super::subject::{Diagnosed, Diagnosis, Subject, by_authentik};

/// A request is redirected to where it went.
pub(super) struct RedirectsToItself;

impl Diagnosis for RedirectsToItself {
    fn code(&self) -> &'static str {
        "SSO-R10"
    }

    fn explanation(&self) -> &'static str {
        "A request is redirected to where it went\n\n\
         The answer, which is not Authentik's, sends the browser to the very URL that it has asked for, and sets no \
         cookie that could make the next one another: \"too many redirects\". Mostly TLS ends before Traefik, at a load \
         balancer or a CDN, and a redirect to https, on the entry point or as a middleware, sees plain requests \
         only.\n\
         Let what ends TLS speak https to Traefik (at Cloudflare: \"Full\" instead of \"Flexible\"), or list it in \
         `forwardedHeaders.trustedIPs` of the entry point so that its `X-Forwarded-Proto` is believed; else take \
         the redirect away."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, url) = subject.ledger.hops.iter().find_map(|hop| {
            let to = hop.redirect_target()?;
            // A form that was sent shows its page by a redirect like this.
            let again = ["GET", "HEAD"].contains(&hop.request.method.as_str())
                || matches!(hop.status(), Some(307 | 308));
            let same = to == hop.request.url && again && !by_authentik(hop);
            let changed = hop.response()?.header(SET_COOKIE.as_str()).is_some();
            (same && !changed).then_some((hop, to))
        })?;
        let routing = subject.routing().ok();
        let winner = routing.as_ref().and_then(|routing| routing.taken(&url).winner);
        let by = winner.as_ref().map(|router| format!(" by router `{}`", router.name)).unwrap_or_default();
        Some(Diagnosed {
            code: self.code(),
            title: format!("hop {} is redirected to the URL that it asked for, {url}{by}", hop.number()),
            pointer: routing.as_ref().zip(winner).map(|(routing, router)| routing.pointer(router.at())),
            help: "let what ends TLS before Traefik speak https to it, or trust its `X-Forwarded-Proto` \
                   (`forwardedHeaders.trustedIPs`); else take the redirect away"
                .to_owned(),
        })
    }
}
