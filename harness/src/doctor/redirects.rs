//! Where the redirects of a router lead.

use std::collections::BTreeSet;

use ssoproof_deployment::traefik::{Action, RedirectScheme, RequestFacts, Router, Witness};
use url::Url;

use super::proof::Asked;
use crate::routing::Routing;

/// A path that nobody has a redirect for.
pub(super) const SOMEWHERE: &str = "/somewhere";
/// The most redirects that are followed before they count as endless: the URL grows each time.
const MOST: usize = 10;

/// Where `router` redirects a request of `url`, once whoever has to be asked lets it pass.
pub(super) fn target(router: &Router, url: &Url) -> Option<Url> {
    let mut told = None;
    router.steps.iter().find_map(|step| match &step.action {
        Action::Headers(edits) => {
            let proto =
                edits.request.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-proto"));
            told = proto.map(|(_, value)| value.as_str()).or(told);
            None
        }
        Action::RedirectScheme(redirect) => by_scheme(redirect, told, url),
        Action::RedirectRegex { regex, replacement, .. } => {
            let changed = regex.replace_all(url.as_str(), replacement);
            (changed != url.as_str()).then(|| Url::parse(&changed).ok()).flatten()
        }
        _ => None,
    })
}

/// Where `redirect` sends a request of `url` whose `X-Forwarded-Proto` has been set to `told`: Traefik believes it.
fn by_scheme(redirect: &RedirectScheme, told: Option<&str>, url: &Url) -> Option<Url> {
    let now = RedirectScheme::seen(told.map(str::as_bytes), url.scheme() == "https");
    let port = redirect.port.parse().ok();
    if now == redirect.scheme && (port.is_none() || port == url.port_or_known_default()) {
        return None;
    }
    let mut to = url.clone();
    to.set_scheme(&redirect.scheme).ok()?;
    to.set_port(port).ok()?;
    Some(to)
}

/// Whether every request that the router's rule takes, as far as it is known, is redirected.
pub(super) fn always(router: &Router) -> bool {
    let Some(rule) = &router.rule else { return false };
    let mut witnesses = rule.witnesses(None);
    let elsewhere: Vec<Witness> =
        witnesses.iter().map(|witness| Witness { path: SOMEWHERE.to_owned(), ..witness.clone() }).collect();
    witnesses.extend(elsewhere.into_iter().filter(|witness| {
        let query = witness.encoded_query();
        rule.matches(&RequestFacts {
            query: &query,
            method: &witness.method,
            headers: &witness.headers,
            ..RequestFacts::get(&witness.host, &witness.path)
        })
    }));
    let asked = witnesses.iter().filter_map(|witness| Asked::of(witness, router.tls));
    let mut asked = asked.peekable();
    asked.peek().is_some() && asked.all(|asked| target(router, &asked.url).is_some())
}

/// Whether a browser that asks for `url` is redirected without end.
pub(super) fn endless(routing: &Routing, url: &Url) -> bool {
    let (mut been, mut at) = (BTreeSet::new(), url.clone());
    while been.insert(at.to_string()) && been.len() < MOST {
        let winner = routing.winner(&at, "GET", &Vec::new());
        let Some(next) = winner.and_then(|router| target(router, &at)) else { return false };
        at = next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(scheme: &str, port: &str, told: Option<&str>, url: &str) -> Option<String> {
        let redirect = RedirectScheme { scheme: scheme.to_owned(), port: port.to_owned(), permanent: false };
        by_scheme(&redirect, told, &Url::parse(url).unwrap()).map(String::from)
    }

    #[test]
    fn a_redirect_to_the_scheme_that_is_there_is_none() {
        assert_eq!(by("https", "", None, "http://a.test/x?y"), Some("https://a.test/x?y".to_owned()));
        assert_eq!(by("https", "", None, "https://a.test/x?y"), None);
        assert_eq!(by("https", "443", None, "https://a.test/"), None);
        assert_eq!(by("https", "8443", None, "https://a.test/"), Some("https://a.test:8443/".to_owned()));
    }

    #[test]
    fn what_the_request_is_told_to_be_counts_more_than_its_socket() {
        assert_eq!(by("https", "", Some("http"), "https://a.test/"), Some("https://a.test/".to_owned()));
        assert_eq!(by("https", "", Some("wss"), "http://a.test/"), None);
        assert_eq!(by("https", "", Some("ftp"), "https://a.test/"), None);
    }
}
