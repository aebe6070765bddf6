//! Request paths as Traefik cleans them.

use super::profile::Profile;

/// The path of a request as it is routed and forwarded, percent-encoded.
///
/// From 3.6 on, encoded letters that need no encoding are decoded, the hex digits of others are put in upper case,
/// and `.`, `..` and empty segments are resolved (`truth/traefik/3.6.7-5-config`: `baseline`).
pub fn forwarded_path(raw: &str, profile: &Profile) -> String {
    let path =
        if profile.cleans_paths && raw.starts_with('/') { clean(&normalise(raw)) } else { raw.to_owned() };
    encoded_path(&path)
}

/// `path` with everything encoded that may not stand in a path as it is.
pub fn encoded_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@[]%/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The path that rules see: decoded, but from 3.6 on with encoded reserved characters left as they are, so that
/// `%2F` is no separator.
pub fn routing_path(forwarded: &str, profile: &Profile) -> String {
    let keeps_reserved = profile.cleans_paths;
    let decoded = decode(forwarded, |byte| !keeps_reserved || !is_reserved(byte));
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Decodes what needs no encoding and writes the rest in upper case.
fn normalise(path: &str) -> String {
    let decoded = decode(path, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    let mut normal = String::from_utf8_lossy(&decoded).into_owned();
    let mut at = 0;
    while let Some(index) = normal[at..].find('%') {
        let start = at + index + 1;
        if let Some(digits) = normal.get(start..start + 2) {
            normal.replace_range(start..start + 2, &digits.to_ascii_uppercase());
        }
        at = start;
    }
    normal
}

/// Replaces `%XX` by its byte where `wanted` says so.
fn decode(path: &str, wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match byte.filter(|byte| wanted(*byte)) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// Resolves `.`, `..` and empty segments; a slash at the end stays.
fn clean(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let mut cleaned = String::with_capacity(path.len());
    for segment in &kept {
        cleaned.push('/');
        cleaned.push_str(segment);
    }
    if cleaned.is_empty() || path.ends_with('/') {
        cleaned.push('/');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{forwarded_path, routing_path};
    use crate::traefik::Profile;

    #[test]
    fn paths_are_forwarded_as_recorded() {
        let (old, new) = (Profile::for_version("3.0"), Profile::for_version("3.6"));
        for (raw, forwarded) in [
            ("//outpost.goauthentik.io/ping", "/outpost.goauthentik.io/ping"),
            ("/x/../outpost.goauthentik.io/ping", "/outpost.goauthentik.io/ping"),
            ("/outpost.goauthentik.io/%2e%2e/secret", "/secret"),
            ("/outpost.goauthentik.io/..%2fsecret", "/outpost.goauthentik.io/..%2Fsecret"),
            ("/%6futpost.goauthentik.io/ping", "/outpost.goauthentik.io/ping"),
            ("/p/a%20b", "/p/a%20b"),
            ("/a/", "/a/"),
            ("/..", "/"),
            ("/a%2", "/a%2"),
        ] {
            assert_eq!(forwarded_path(raw, new), forwarded);
            assert_eq!(forwarded_path(raw, old), raw);
        }
        assert_eq!(forwarded_path("/ü", new), "/%C3%BC");
    }

    #[test]
    fn an_encoded_slash_is_a_separator_to_old_rules_only() {
        let (old, new) = (Profile::for_version("3.0"), Profile::for_version("3.6"));
        let raw = "/outpost.goauthentik.io%2f..%2fsecret";
        assert_eq!(routing_path(raw, old), "/outpost.goauthentik.io/../secret");
        assert_eq!(routing_path(&forwarded_path(raw, new), new), "/outpost.goauthentik.io%2F..%2Fsecret");
        assert_eq!(routing_path("/a%20b", new), "/a b");
    }

    proptest! {
        #[test]
        fn cleaning_never_panics_and_is_done_once(path in "/[a-z./%é0-9A-F]{0,30}") {
            let profile = Profile::for_version("3.6");
            let once = forwarded_path(&path, profile);
            let _ = routing_path(&once, profile);
            prop_assert!(once.starts_with('/') && !once.contains("/../") && !once.contains("//"));
        }
    }
}
