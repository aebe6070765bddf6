//! Matching of a request's `redirect_uri` against a provider's list (truth: `43-oidc-authorize-variants`).

/// Schemes that never are a redirect target, whatever the provider lists.
const FORBIDDEN_SCHEMES: [&str; 3] = ["javascript", "data", "vbscript"];

/// How one listed URI is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) enum Matching {
    /// Byte for byte: a trailing slash or another scheme is another URI.
    Strict,
    /// As a regular expression over the whole URI.
    Regex,
}

/// Whether `given` is one of `listed`. A listed expression that does not compile matches nothing, as upstream.
pub(crate) fn matches<'a>(given: &str, listed: impl IntoIterator<Item = (Matching, &'a str)>) -> bool {
    let scheme = given.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if given.is_empty() || FORBIDDEN_SCHEMES.contains(&scheme.as_str()) {
        return false;
    }
    listed.into_iter().any(|(matching, url)| match matching {
        Matching::Strict => url == given,
        Matching::Regex => {
            regex::Regex::new(&format!("^(?:{url})$")).is_ok_and(|pattern| pattern.is_match(given))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAFANA: &str = "https://dashboard.spacemusic.tv/login/generic_oauth";

    #[test]
    fn strict_takes_the_very_bytes_only() {
        let listed = [(Matching::Strict, GRAFANA)];
        assert!(matches(GRAFANA, listed));
        for other in [
            "https://evil.example/cb",
            "https://dashboard.spacemusic.tv/login/generic_oauth/",
            "http://dashboard.spacemusic.tv/login/generic_oauth",
            "https://DASHBOARD.spacemusic.tv/login/generic_oauth",
            "",
        ] {
            assert!(!matches(other, listed), "{other}");
        }
    }

    #[test]
    fn regex_must_cover_the_whole_uri() {
        let listed = [(Matching::Regex, r"https://[a-z]+\.spacemusic\.tv/cb|https://x\.tv/cb")];
        assert!(matches("https://docs.spacemusic.tv/cb", listed));
        assert!(!matches("https://docs.spacemusic.tv/cb/more", listed));
        assert!(!matches("evil:https://x.tv/cb", listed));
        assert!(!matches("https://x.tv/cb", [(Matching::Regex, "(")]));
    }

    #[test]
    fn script_schemes_are_refused_even_when_listed() {
        assert!(!matches("javascript:alert(1)", [(Matching::Regex, ".*")]));
    }
}
