//! `Location` lines as Go reads and writes them.

use ssoproof_deployment::traefik::encoded_path;
use url::Url;

/// A URL in its raw parts.
#[derive(Default)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn new(text: &'a str) -> Self {
        let (rest, fragment) = cut(text, '#');
        let (rest, query) = cut(rest, '?');
        let scheme = rest.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| {
            scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        });
        let rest = scheme.map_or(rest, |scheme| &rest[scheme.len() + 1..]);
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        Self { scheme, authority, path, query, fragment }
    }
}

fn cut(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// `text` as an absolute URL, relative to `base`: the query stays byte for byte, the path is encoded where it must
/// be. None when Go would not read it.
pub(super) fn resolve(base: &Url, text: &str) -> Option<String> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return None;
    }
    let parts = Parts::new(text);
    let relative = parts.scheme.is_none();
    let before_colon = parts.path.split('/').next().unwrap_or_default();
    if (relative && parts.authority.is_none() && before_colon.contains(':'))
        || parts.authority.is_some_and(|authority| authority.contains([' ', '"', '<', '>', '\\']))
    {
        return None;
    }
    let own = Parts::new(base.as_str());
    let authority = parts.authority.or(own.authority.filter(|_| relative));
    let inherits = relative && parts.authority.is_none();
    let path = match parts.path {
        "" if inherits => own.path.to_owned(),
        path if inherits && !path.starts_with('/') => {
            let folder = own.path.rfind('/').map_or("/", |end| &own.path[..=end]);
            without_dots(&format!("{folder}{path}"))
        }
        path if relative => without_dots(path),
        path => path.to_owned(),
    };
    let query = parts.query.or(own.query.filter(|_| inherits && parts.path.is_empty()));
    let mut resolved = format!("{}:", parts.scheme.unwrap_or(base.scheme()).to_ascii_lowercase());
    if let Some(authority) = authority {
        resolved.push_str("//");
        resolved.push_str(authority);
    }
    resolved.push_str(&encoded_path(&path));
    for (mark, part) in [('?', query), ('#', parts.fragment)] {
        if let Some(part) = part {
            resolved.push(mark);
            resolved.push_str(part);
        }
    }
    Some(resolved)
}

/// Resolves `.` and `..` of a path.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                if kept.len() > 1 {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    kept.join("/")
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn relative_locations_lead_to_the_auth_server() {
        let base = "http://auth:9000/outpost/auth/traefik?x=1".parse().unwrap();
        for (text, resolved) in [
            ("/start?rd=x y", "http://auth:9000/start?rd=x y"),
            ("start", "http://auth:9000/outpost/auth/start"),
            ("../a", "http://auth:9000/outpost/a"),
            ("//other.test/x", "http://other.test/x"),
            ("?y", "http://auth:9000/outpost/auth/traefik?y"),
            ("https://AUTH.test/a b", "https://AUTH.test/a%20b"),
            ("https://auth.test", "https://auth.test"),
        ] {
            assert_eq!(resolve(&base, text).as_deref(), Some(resolved), "{text}");
        }
        for text in ["http://a b/", "a\tb", "1:2"] {
            assert_eq!(resolve(&base, text), None, "{text}");
        }
    }
}
