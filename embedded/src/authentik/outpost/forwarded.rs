//! The URL that a gateway asks about, as each kind of gateway says it (`12-outpost-auth-endpoint-unauth`).

use http::HeaderMap;

use crate::authentik::oauth2::params::Params;

/// The URL a browser asked a gateway for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forwarded(String);

impl Forwarded {
    /// From `X-Forwarded-Proto`, `-Host` and `-Uri`, joined without a thought: a missing host or path is simply
    /// not there. None without a scheme, and for a text that is no URL.
    pub(super) fn from_traefik(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| said(headers, name).unwrap_or_default();
        let (scheme, host) = (text("x-forwarded-proto"), text("x-forwarded-host"));
        Self::parse(format!("{scheme}://{host}{}", text("x-forwarded-uri")))
    }

    /// From `X-Original-URL`; none without it.
    pub(super) fn from_nginx(headers: &HeaderMap) -> Option<Self> {
        Self::parse(said(headers, "x-original-url")?.to_owned())
    }

    /// From the path of the request itself.
    pub(super) fn from_envoy(headers: &HeaderMap, path: &str) -> Option<Self> {
        let host = said(headers, "x-forwarded-host").or_else(|| said(headers, "host"))?;
        Self::parse(format!("{}://{host}/{path}", said(headers, "x-forwarded-proto").unwrap_or_default()))
    }

    /// What Go's `url.Parse` takes: a scheme, no control characters, whole percent escapes.
    fn parse(text: String) -> Option<Self> {
        let scheme = text.split_once("://")?.0;
        let mut letters = scheme.bytes();
        let starts = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic());
        let goes_on = letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let printable = !text.bytes().any(|byte| byte.is_ascii_control());
        let path = text.split('?').next().unwrap_or_default();
        let escaped = path
            .split('%')
            .skip(1)
            .all(|rest| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit));
        (starts && goes_on && printable && escaped).then_some(Self(text))
    }

    /// The whole URL.
    pub(super) fn url(&self) -> &str {
        &self.0
    }

    /// Its path, without the query.
    pub(super) fn path(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        path.split(['?', '#']).next().unwrap_or_default()
    }

    /// Its query; empty without one.
    pub(super) fn query(&self) -> &str {
        self.0.split_once('?').map_or("", |(_, query)| query)
    }

    /// Whether its query says `name=true`.
    pub(super) fn says(&self, name: &str) -> bool {
        Params::parse(self.query()).get(name).eq_ignore_ascii_case("true")
    }
}

fn said<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)));
        pairs.collect()
    }

    #[test]
    fn url_is_joined_from_what_traefik_says() {
        let all = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "stream.spacemusic.tv"),
            ("x-forwarded-uri", "/a?b=c"),
        ];
        let url = |said: &[_]| Forwarded::from_traefik(&headers(said)).map(|found| found.0);
        assert_eq!(url(&all).as_deref(), Some("https://stream.spacemusic.tv/a?b=c"));
        assert_eq!(url(&all[..2]).as_deref(), Some("https://stream.spacemusic.tv"));
        assert_eq!(url(&[all[0], all[2]]).as_deref(), Some("https:///a?b=c"));
        assert_eq!(url(&all[1..]), None);
        assert_eq!(url(&[all[0], all[1], ("x-forwarded-uri", "/%zz")]), None);
        assert_eq!(url(&[all[0], all[1], ("x-forwarded-uri", "/%2")]), None);
    }

    #[test]
    fn path_and_query_are_told_apart() {
        let url = Forwarded("https://x/a/b?X-authentik-logout=TRUE".into());
        assert_eq!((url.path(), url.says("X-authentik-logout")), ("/a/b", true));
        assert_eq!(Forwarded("https://x".into()).path(), "");
    }
}
