//! Sites: which hosts belong together, by the public suffix list.

use url::{Host, Url};

/// The registrable domain of a host name, `spacemusic.tv` for `stream.spacemusic.tv`.
///
/// `None` for IP addresses, for single labels and for names that are public suffixes themselves.
pub fn registrable_domain(host: &str) -> Option<&str> {
    if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[') {
        return None;
    }
    psl::domain_str(host)
}

/// Whether `domain` is a public suffix that the list knows, `com` or `co.uk`.
pub(super) fn is_public_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known() && suffix == domain.as_bytes())
}

/// Whether two URLs are of one site: same scheme, and same registrable domain or same host.
pub fn same_site(one: &Url, other: &Url) -> bool {
    if one.scheme() != other.scheme() {
        return false;
    }
    match (one.host(), other.host()) {
        (Some(Host::Domain(one)), Some(Host::Domain(other))) => {
            one == other
                || registrable_domain(one).is_some_and(|domain| registrable_domain(other) == Some(domain))
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(one: &str, other: &str) -> bool {
        same_site(&Url::parse(one).unwrap(), &Url::parse(other).unwrap())
    }

    #[test]
    fn subdomains_of_one_registrable_domain_are_one_site() {
        assert!(site("https://stream.spacemusic.tv/", "https://auth.spacemusic.tv/x"));
        assert!(!site("https://edit.spacemusic.com/", "https://auth.spacemusic.tv/"));
        assert!(!site("https://a.co.uk/", "https://b.co.uk/"));
    }

    #[test]
    fn the_scheme_is_part_of_the_site() {
        assert!(!site("http://auth.spacemusic.tv/", "https://auth.spacemusic.tv/"));
    }

    #[test]
    fn ports_are_not_part_of_the_site_and_addresses_are_their_own() {
        assert!(site("http://127.0.0.1:81/", "http://127.0.0.1:82/"));
        assert!(!site("http://127.0.0.1/", "http://127.0.0.2/"));
    }

    #[test]
    fn unlisted_single_labels_are_no_public_suffix() {
        assert!(is_public_suffix("com") && is_public_suffix("co.uk"));
        assert!(!is_public_suffix("spacemusic.tv") && !is_public_suffix("localhost"));
    }
}
