//! Request paths as Traefik cleans and matches them (`truth/traefik/3.6.7-5-config`: `baseline`).

/// The path as it is forwarded: percent-encoding in its normal form, dot segments and double slashes gone.
pub fn sanitised(path: &str) -> String {
    let normal = normalised(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in normal.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let slash = normal.ends_with('/') || normal.ends_with("/.") || normal.ends_with("/..");
    let mut clean = format!("/{}", parts.join("/"));
    if slash && !clean.ends_with('/') {
        clean.push('/');
    }
    clean
}

/// The path as rules see it: decoded but for what would be another path then.
pub fn routing_path(path: &str) -> String {
    decoded(path, |byte| !matches!(byte, b'/' | b';' | b'?' | b'#' | b'%' | b'\\' | 0))
}

/// Unreserved characters decoded, the other escapes in upper case (RFC 3986, 6.2.2).
fn normalised(path: &str) -> String {
    decoded(path, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

fn decoded(path: &str, decodes: impl Fn(u8) -> bool) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let escaped = (byte == b'%').then(|| path.get(index + 1..index + 3)).flatten();
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) if decodes(value) => {
                out.push(value);
                index += 3;
            }
            Some(value) => {
                out.extend_from_slice(format!("%{value:02X}").as_bytes());
                index += 3;
            }
            None => {
                out.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_recorded() {
        for (raw, clean) in [
            ("//outpost.goauthentik.io/ping", "/outpost.goauthentik.io/ping"),
            ("/x/../outpost.goauthentik.io/ping", "/outpost.goauthentik.io/ping"),
            ("/%6futpost.goauthentik.io/ping", "/outpost.goauthentik.io/ping"),
            ("/outpost.goauthentik.io/../secret", "/secret"),
            ("/outpost.goauthentik.io/%2e%2e/secret", "/secret"),
            ("/outpost.goauthentik.io/..%2fsecret", "/outpost.goauthentik.io/..%2Fsecret"),
            ("/p/a%20b", "/p/a%20b"),
            ("/a/", "/a/"),
            ("/a/..", "/"),
            ("", "/"),
        ] {
            assert_eq!(sanitised(raw), clean, "{raw}");
        }
    }

    #[test]
    fn rules_see_letters_but_no_hidden_slash() {
        assert_eq!(routing_path("/a%20b"), "/a b");
        assert_eq!(
            routing_path("/outpost.goauthentik.io%2f..%2fsecret"),
            "/outpost.goauthentik.io%2F..%2Fsecret"
        );
    }

    proptest::proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(path in "/([a-z./]|%[0-9A-F]{2}){0,20}") {
            let once = sanitised(&path);
            proptest::prop_assert_eq!(sanitised(&once), once.clone());
            proptest::prop_assert!(!once.contains("//"));
            proptest::prop_assert!(!once.split('/').any(|part| part == ".."));
        }
    }
}
