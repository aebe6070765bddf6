//! Where a browser goes once it is signed in.

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

/// A text as Go's `url.QueryEscape` writes it.
pub(super) fn query_escape(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('*', "%2A")
        .replace("%7E", "~")
}

/// A text as Go's `url.QueryUnescape` reads it; `None` where that errs.
pub(super) fn query_unescape(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let hex = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_hexdigit);
    let broken = |(index, byte): (usize, &u8)| *byte == b'%' && !(hex(index + 1) && hex(index + 2));
    if bytes.iter().enumerate().any(broken) {
        return None;
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|decoded| decoded.into_owned())
}

/// A request's target without its `forceLogin=true`.
pub(super) fn without_force_login(target: &str) -> String {
    target.replace("&forceLogin=true", "").replace("forceLogin=true", "")
}

/// Whether a signed-in browser may be sent to `target`: a path of this Grafana, of plain letters only. A
/// dashboard whose path holds anything else (an encoded space, say) is not returned to.
pub(super) fn allowed(target: &str, sub_path: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let Ok(path) = percent_decode_str(path).decode_utf8() else { return false };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
    let visible = target.bytes().all(|byte| (b'!'..=b'~').contains(&byte) || byte >= 0x80);
    visible
        && path.starts_with('/')
        && path.chars().all(plain)
        && !path.contains("//")
        && !path.contains("..")
        && (sub_path.is_empty() || path.starts_with(&format!("{sub_path}/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_of_this_grafana_are_returned_to() {
        for good in ["/", "/d/abc/home?from=now-6h&to=now", "/explore#x", "/a-b_c.d/"] {
            assert!(allowed(good, ""), "{good}");
        }
        for bad in ["", "//evil.test", "/\\evil.test", "https://evil.test/", "/a/../b", "/d/a%20b", "/a\r\nb"]
        {
            assert!(!allowed(bad, ""), "{bad}");
        }
        assert!(allowed("/grafana/d/abc", "/grafana"));
        assert!(!allowed("/d/abc", "/grafana") && !allowed("/grafanas", "/grafana"));
    }

    #[test]
    fn queries_are_escaped_as_go_does() {
        assert_eq!(query_escape("/d/a b?x=1&y=*~"), "%2Fd%2Fa+b%3Fx%3D1%26y%3D%2A~");
        assert_eq!(query_unescape("%2Fd+x"), Some("/d x".to_owned()));
        assert_eq!(query_unescape("%2"), None);
        assert_eq!(query_unescape("%zz"), None);
    }
}
