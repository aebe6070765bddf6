//! Cookies as Go's `net/http` and Grafana write and read them.

use http::HeaderMap;
use http::header::COOKIE;

/// What Grafana's cookies have in common.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// `/`, or the sub-path.
    pub(super) path: String,
    pub(super) secure: bool,
}

/// How long a cookie stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Until the browser closes.
    Session,
    /// So many seconds.
    Seconds(u32),
    /// It goes at once.
    Gone,
}

impl Options {
    /// A cookie that scripts cannot read.
    pub(super) fn cookie(&self, name: &str, value: &str, age: Age) -> String {
        self.write(name, value, age, true)
    }

    /// A cookie that scripts can read.
    pub(super) fn readable(&self, name: &str, value: &str, age: Age) -> String {
        self.write(name, value, age, false)
    }

    fn write(&self, name: &str, value: &str, age: Age, http_only: bool) -> String {
        let mut cookie = format!("{name}={}; Path={}", sanitized(value), self.path);
        match age {
            Age::Session => {}
            Age::Seconds(seconds) => cookie.push_str(&format!("; Max-Age={seconds}")),
            Age::Gone => cookie.push_str("; Max-Age=0"),
        }
        if http_only {
            cookie.push_str("; HttpOnly");
        }
        if self.secure {
            cookie.push_str("; Secure");
        }
        cookie.push_str("; SameSite=Lax");
        cookie
    }
}

/// A value with the bytes no cookie may hold left out, quoted when it holds a space or a comma.
fn sanitized(value: &str) -> String {
    let kept: String = value
        .chars()
        .filter(|letter| matches!(letter, ' '..='~') && !matches!(letter, '"' | ';' | '\\'))
        .collect();
    if kept.contains([' ', ',']) { format!("\"{kept}\"") } else { kept }
}

/// The value of the first cookie `name`, without quotes around it.
pub(super) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_stand_in_the_order_of_net_http() {
        let options = Options { path: "/".to_owned(), secure: true };
        assert_eq!(
            options.cookie("oauth_state", "ab12", Age::Seconds(600)),
            "oauth_state=ab12; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax"
        );
        let options = Options { path: "/grafana".to_owned(), secure: false };
        assert_eq!(
            options.readable("grafana_session_expiry", "", Age::Gone),
            "grafana_session_expiry=; Path=/grafana; Max-Age=0; SameSite=Lax"
        );
    }

    #[test]
    fn values_cannot_break_out_of_the_cookie() {
        let options = Options { path: "/".to_owned(), secure: false };
        assert_eq!(
            options.cookie("redirectTo", "/d/a b;\r\nSet-Cookie: x", Age::Session),
            "redirectTo=\"/d/a bSet-Cookie: x\"; Path=/; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn first_cookie_of_a_name_is_read() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; redirectTo=\"/x y\"; a=2".parse().unwrap());
        assert_eq!(read(&headers, "a"), Some("1"));
        assert_eq!(read(&headers, "redirectTo"), Some("/x y"));
        assert_eq!(read(&headers, "b"), None);
    }
}
