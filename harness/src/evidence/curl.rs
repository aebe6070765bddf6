//! A command that repeats a hop.

use super::ledger::Hop;
use super::redact::Redactor;

/// Header lines that curl sends by itself or that only bind to one connection.
const LEFT_OUT: [&str; 4] = ["host", "content-length", "connection", "accept-encoding"];

/// The `curl` command line that repeats `hop`, with secrets as tokens.
pub fn curl(hop: &Hop, redactor: &Redactor) -> String {
    let mut words = vec!["curl".to_owned(), "-i".to_owned()];
    if hop.request.method != "GET" {
        words.extend(["-X".to_owned(), quoted(&hop.request.method)]);
    }
    if let Some(target) = &hop.request.target {
        words.extend(["--request-target".to_owned(), quoted(&redactor.redact(target))]);
    }
    for (name, value) in &hop.request.headers {
        let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        if !LEFT_OUT.iter().any(|left_out| name.eq_ignore_ascii_case(left_out)) {
            words.extend(["-H".to_owned(), quoted(&redactor.redact(&format!("{name}: {value}")))]);
        }
    }
    if !hop.request.body.is_empty() {
        let body = String::from_utf8_lossy(&hop.request.body).into_owned();
        words.extend(["--data-raw".to_owned(), quoted(&redactor.redact(&body))]);
    }
    words.push(quoted(&redactor.redact(hop.request.url.as_str())));
    words.join(" ")
}

/// The `curl` command line for a request without a body.
pub(crate) fn curl_line(method: &str, url: &url::Url, headers: &[(String, String)]) -> String {
    let mut words = vec!["curl".to_owned(), "-i".to_owned()];
    if method != "GET" {
        words.extend(["-X".to_owned(), quoted(method)]);
    }
    words.extend(
        headers.iter().flat_map(|(name, value)| ["-H".to_owned(), quoted(&format!("{name}: {value}"))]),
    );
    words.push(quoted(url.as_str()));
    words.join(" ")
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("https://a.test/x?y=1"), "'https://a.test/x?y=1'");
        assert_eq!(quoted("a b'c"), r"'a b'\''c'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("POST"), "POST");
    }
}
