//! URLs with what differs from round to round masked, so that rounds can be compared.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::Url;

/// Parameters whose value is new in every round of a login.
const VOLATILE: [&str; 20] = [
    "state",
    "nonce",
    "code",
    "code_challenge",
    "code_verifier",
    "sid",
    "session_state",
    "id_token_hint",
    "id_token",
    "access_token",
    "refresh_token",
    "token",
    "jti",
    "ts",
    "timestamp",
    "request_id",
    "samlrequest",
    "samlresponse",
    "relaystate",
    "_",
];

/// How deep URLs inside URLs are looked into.
const MAX_DEPTH: usize = 6;

/// What would make a shown value look like another part of the URL.
const SHOWN: &AsciiSet = &CONTROLS.add(b'%').add(b'&').add(b'#').add(b'(').add(b')').add(b' ').add(b'*');

/// The URL with the values of `state`, `code`, `nonce` and their like, and every JWT, as `*`, also inside URLs
/// that are parameters (`rd`, `next`, `redirect_uri`, `goto`, the flow executor's `query`), which stand decoded
/// in parentheses. The fragment is left out.
pub fn mask_url(url: &Url) -> String {
    mask(url, 0)
}

fn mask(url: &Url, depth: usize) -> String {
    let mut out = format!("{}://{}{}", url.scheme(), authority(url), url.path());
    if let Some(query) = url.query() {
        out.push('?');
        out.push_str(&mask_query(query, depth));
    }
    out
}

/// Host, and port when it is not the scheme's own.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn mask_query(query: &str, depth: usize) -> String {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .map(|(name, value)| {
            format!("{}={}", utf8_percent_encode(&name, SHOWN), mask_value(&name, &value, depth))
        })
        .collect::<Vec<_>>()
        .join("&")
}

/// The value of the parameter `name` as [`mask_url`] shows it, `depth` URLs deep.
pub(crate) fn mask_value(name: &str, value: &str, depth: usize) -> String {
    if VOLATILE.iter().any(|volatile| name.eq_ignore_ascii_case(volatile)) || looks_like_jwt(value) {
        return "*".into();
    }
    if depth < MAX_DEPTH {
        if let Some(nested) = nested(value, depth) {
            return format!("({nested})");
        }
        if name == "query" && value.contains('=') {
            return format!("({})", mask_query(value, depth + 1));
        }
    }
    utf8_percent_encode(value, SHOWN).to_string()
}

/// The masked URL inside a value, absolute or an absolute path, encoded once too often or not.
fn nested(value: &str, depth: usize) -> Option<String> {
    let lower = value.get(..8).unwrap_or(value).to_ascii_lowercase();
    if lower.starts_with("http%3a") || lower.starts_with("https%3a") || lower.starts_with("%2f") {
        let decoded = percent_decode_str(value).decode_utf8().ok()?;
        return nested(&decoded, depth + 1);
    }
    if value.starts_with('/') {
        let base = Url::parse("https://relative.invalid").ok()?;
        let url = base.join(value).ok()?;
        let masked = mask(&url, depth + 1);
        return Some(masked.strip_prefix("https://relative.invalid").map_or(masked.clone(), str::to_owned));
    }
    let url = Url::parse(value).ok()?;
    matches!(url.scheme(), "http" | "https" | "ws" | "wss").then(|| mask(&url, depth + 1))
}

/// Three base64url parts, of which the first is a JSON object.
fn looks_like_jwt(value: &str) -> bool {
    let parts: Vec<&str> = value.split('.').collect();
    let base64url =
        |part: &&str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    parts.len() == 3 && value.starts_with("eyJ") && parts.iter().all(base64url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str) -> String {
        mask_url(&Url::parse(text).unwrap())
    }

    #[test]
    fn authorize_url_of_the_outpost() {
        assert_eq!(
            masked(
                "https://auth.spacemusic.tv/application/o/authorize/?client_id=z0o3&redirect_uri=https%3A%2F%2F\
                 stream.spacemusic.tv%2Foutpost.goauthentik.io%2Fcallback%3FX-authentik-auth-callback%3Dtrue\
                 &scope=email+openid&state=eyJhbGciOiJIUzI1NiJ9.e30.x"
            ),
            "https://auth.spacemusic.tv/application/o/authorize/?client_id=z0o3&redirect_uri=(https://\
             stream.spacemusic.tv/outpost.goauthentik.io/callback?X-authentik-auth-callback=true)\
             &scope=email%20openid&state=*"
        );
    }

    #[test]
    fn doubly_encoded_and_nested_twice() {
        assert_eq!(
            masked("https://a.test/start?rd=https%253A%252F%252Fb.test%252F%253Fcode%253D1"),
            "https://a.test/start?rd=(https://b.test/?code=*)"
        );
        assert_eq!(
            masked("https://a.test/e/?query=next%3D%252Fauthorize%252F%253Fnonce%253D1%2526x%253D2"),
            "https://a.test/e/?query=(next=(/authorize/?nonce=*&x=2))"
        );
    }

    #[test]
    fn endless_nesting_ends() {
        let mut url = "https://a.test/".to_owned();
        for _ in 0..12 {
            let next: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
            url = format!("https://a.test/?next={next}");
        }
        assert!(masked(&url).len() < 40_000);
    }

    /// A URL that carries `state` and `keep` at the bottom of `depth` layers of `next`.
    fn layered(depth: usize, state: &str, keep: &str) -> String {
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let mut url = format!("https://a.test/x?state={}&keep={}", encode(state), encode(keep));
        for _ in 0..depth {
            url = format!("https://a.test/y?next={}&state={}", encode(&url), encode(state));
        }
        url
    }

    proptest! {
        #[test]
        fn only_volatile_values_are_forgotten(
            depth in 0usize..4, one in ".{0,12}", other in ".{0,12}", keep in "[a-z&%#*()]{1,6}", kept in "[a-z&%#*()]{1,6}"
        ) {
            prop_assert_eq!(masked(&layered(depth, &one, &keep)), masked(&layered(depth, &other, &keep)));
            if keep != kept {
                prop_assert_ne!(masked(&layered(depth, &one, &keep)), masked(&layered(depth, &one, &kept)));
            }
        }
    }
}
