//! URLs that carry URLs: how deep, and what is at the bottom.

use percent_encoding::percent_decode_str;
use url::Url;

/// Parameters that say where to go on.
const RETURNS: [&str; 12] = [
    "rd",
    "next",
    "returnto",
    "return_to",
    "redirect",
    "redirectto",
    "redirect_to",
    "returnurl",
    "goto",
    "continue",
    "url",
    "target",
];

/// How deep URLs inside URLs are looked into.
const DEPTH: usize = 32;

/// The URLs inside `url`, outermost first, by the parameters that say where to go on. Encoding once too often is
/// undone at every level.
pub(super) fn nested(url: &Url) -> Vec<Url> {
    let mut found: Vec<Url> = Vec::new();
    let mut current = url.clone();
    while found.len() < DEPTH
        && let Some(inner) = inner(&current)
    {
        found.push(inner.clone());
        current = inner;
    }
    found
}

fn inner(url: &Url) -> Option<Url> {
    let pairs = url.query_pairs();
    let named = pairs.into_iter().filter(|(name, _)| RETURNS.contains(&name.to_ascii_lowercase().as_str()));
    named.into_iter().find_map(|(_, value)| read(url, &value, 0))
}

fn read(base: &Url, value: &str, again: usize) -> Option<Url> {
    let lower = value.get(..8).unwrap_or(value).to_ascii_lowercase();
    if (lower.starts_with("http%") || lower.starts_with("https%") || lower.starts_with("%2f"))
        && again < DEPTH
    {
        return read(base, &percent_decode_str(value).decode_utf8().ok()?, again + 1);
    }
    if value.starts_with('/') {
        return base.join(value).ok();
    }
    Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// `url` with what is at the bottom of its nested URLs in place of all of them, so that two that differ only in depth
/// are the same.
pub(super) fn collapsed(url: &Url) -> Url {
    let Some(bottom) = nested(url).pop() else { return url.clone() };
    let mut flat = url.clone();
    flat.set_query(None);
    flat.query_pairs_mut().append_pair("rd", bottom.as_str());
    flat
}

/// Whether a browser elsewhere could not know this host: a bare name, a loopback or private address, a local domain.
pub(super) fn is_internal(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => {
            !name.contains('.')
                || [".local", ".internal", ".svc", ".cluster.local", ".localhost", ".lan"]
                    .iter()
                    .any(|end| name.ends_with(end))
        }
        Some(url::Host::Ipv4(address)) => {
            address.is_loopback()
                || address.is_private()
                || address.is_unspecified()
                || address.is_link_local()
        }
        Some(url::Host::Ipv6(address)) => address.is_loopback() || address.is_unique_local(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An outpost start URL that wraps itself `depth` times.
    fn wrapped(depth: usize) -> Url {
        let mut url = "https://app.sso.test/reports".to_owned();
        for _ in 0..depth {
            let encoded: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
            url = format!("https://app.sso.test/outpost.goauthentik.io/start?rd={encoded}");
        }
        Url::parse(&url).unwrap()
    }

    #[test]
    fn depth_is_counted_and_the_bottom_found() {
        let found = nested(&wrapped(8));
        assert_eq!(found.len(), 8);
        assert_eq!(found.last().unwrap().path(), "/reports");
        assert_eq!(collapsed(&wrapped(3)), collapsed(&wrapped(7)));
    }

    #[test]
    fn doubly_encoded_returns_are_read() {
        let url = Url::parse("https://a.test/start?rd=https%253A%252F%252Fb.test%252Fx").unwrap();
        assert_eq!(nested(&url)[0].as_str(), "https://b.test/x");
    }

    #[test]
    fn internal_hosts_are_told_from_public_ones() {
        for host in ["authentik-server:9000", "localhost:9443", "10.0.0.4", "[::1]", "ak.svc.cluster.local"] {
            assert!(is_internal(&Url::parse(&format!("http://{host}/")).unwrap()), "{host}");
        }
        assert!(!is_internal(&Url::parse("https://auth.sso.test/").unwrap()));
    }
}
