//! Causes that stand in the URLs.

use url::Url;

use super::super::urls::{is_internal, nested};
use super::super::{Cause, Round};
use super::{Rule, host, is_authorize};
use crate::evidence::{Hop, parameter};

/// SSO-L11.
pub(super) const INTERNAL_HOST: Rule = Rule {
    code: "SSO-L11",
    explanation: Some(
        "The browser is sent to an internal host\n\n\
         The embedded outpost makes every URL for the browser from `authentik_host` and does not look at \
         `authentik_host_browser`, which is for outposts of their own. With an internal `authentik_host` the browser is \
         sent where only containers can go.\n\
         Set `authentik_host` to the public URL.",
    ),
    examine: internal_host,
};

fn internal_host(hops: &[&Hop], _: Option<&Round>) -> Option<Cause> {
    let hop = hops.iter().find(|hop| {
        !is_internal(&hop.request.url) && hop.redirect_target().is_some_and(|target| is_internal(&target))
    })?;
    let target = hop.redirect_target()?;
    Some(Cause {
        code: INTERNAL_HOST.code,
        title: format!("{} sends the browser to the internal host {}", host(hop), authority(&target)),
        help: "embedded outpost: set authentik_host to the public URL; authentik_host_browser has no effect here"
            .to_owned(),
        hop: Some(hop.index),
    })
}

fn authority(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

/// SSO-L12.
pub(super) const PLAIN_HTTP: Rule = Rule {
    code: "SSO-L12",
    explanation: Some(
        "The way back is plain http where the browser uses https\n\n\
         TLS ends in front of Traefik, so Traefik says `X-Forwarded-Proto: http`, and the outpost makes `http://` URLs of \
         it: the provider refuses the redirect URI, or the `Secure` cookie is lost.\n\
         Trust the proxy in front: `entryPoints.<name>.forwardedHeaders.trustedIPs`, and `trustForwardHeader: true` in the \
         forwardAuth middleware.",
    ),
    examine: plain_http,
};

fn plain_http(hops: &[&Hop], _: Option<&Round>) -> Option<Cause> {
    let encrypted = |host: Option<&str>| {
        hops.iter().any(|hop| hop.request.url.scheme() == "https" && hop.request.url.host_str() == host)
    };
    hops.iter().find_map(|hop| {
        let asked = if is_authorize(hop) { Some(hop.request.url.clone()) } else { hop.redirect_target() }?;
        let back = parameter(&asked, "redirect_uri")?;
        let back = Url::parse(&back).ok()?;
        (back.scheme() == "http" && encrypted(back.host_str())).then(|| Cause {
            code: PLAIN_HTTP.code,
            title: format!(
                "redirect_uri is {}://{}, and the browser uses https there",
                back.scheme(),
                authority(&back)
            ),
            help:
                "TLS is terminated in front of Traefik; set entryPoints.<ep>.forwardedHeaders.trustedIPs and \
                   trustForwardHeader: true"
                    .to_owned(),
            hop: Some(hop.index),
        })
    })
}

/// SSO-L13.
pub(super) const SCHEME_PING_PONG: Rule = Rule {
    code: "SSO-L13",
    explanation: Some(
        "http and https send the browser to each other\n\n\
         One side redirects to https, and another, behind it, to http: it does not know that TLS ended in front of it.\n\
         Let it trust `X-Forwarded-Proto` of the proxy in front, or let one side alone redirect.",
    ),
    examine: scheme_ping_pong,
};

fn scheme_ping_pong(hops: &[&Hop], found: Option<&Round>) -> Option<Cause> {
    let found = found?;
    let turn = |hop: &&&Hop| {
        hop.index >= found.turns_at
            && hop.redirect_target().is_some_and(|target| {
                let (one, other) = (&hop.request.url, &target);
                one.scheme() != other.scheme() && (one.host(), one.path()) == (other.host(), other.path())
            })
    };
    let down = hops.iter().filter(turn).find(|hop| hop.request.url.scheme() == "https");
    Some(Cause {
        code: SCHEME_PING_PONG.code,
        title: format!("{} redirects https to http", host(down?)),
        help: "let it trust X-Forwarded-Proto of the proxy that ends TLS".to_owned(),
        hop: down.map(|hop| hop.index),
    })
}

/// SSO-L14.
pub(super) const NESTED_RETURN: Rule = Rule {
    code: "SSO-L14",
    explanation: Some(
        "The return URL wraps itself\n\n\
         The app takes its current URL, which is a login URL already, as the place to come back to. `rd`, `next` or \
         `returnTo` grows by one level of encoding in every round, until the URL is refused for its length.\n\
         Let the app remember where the user was before the first login URL, and never wrap a login URL.",
    ),
    examine: nested_return,
};

fn nested_return(hops: &[&Hop], _: Option<&Round>) -> Option<Cause> {
    let depth = |hop: &Hop| nested(&hop.request.url).len();
    let deepest = hops.iter().max_by_key(|hop| depth(hop))?;
    let inside = nested(&deepest.request.url);
    // The same path inside itself: a return to another start of a login is common and harmless.
    let own = inside.iter().filter(|url| url.path() == deepest.request.url.path()).count();
    (own >= 1 && inside.len() >= 2).then(|| Cause {
        code: NESTED_RETURN.code,
        title: format!(
            "nested return URL, depth {}: {} is inside itself",
            inside.len(),
            deepest.request.url.path()
        ),
        help: "return to the page before the login, never to a login URL".to_owned(),
        hop: Some(deepest.index),
    })
}
