//! The normal form of a ledger: what stays the same from run to run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::ledger::{Cause, ChangeKind, CookieAttributes, Hop, JarChange, Ledger};
use super::mask::mask_url;
use super::redact::Redactor;

/// Response headers that are part of what a browser or backend acts on.
const HEADERS: [&str; 8] = [
    "content-type",
    "www-authenticate",
    "x-powered-by",
    "access-control-allow-origin",
    "refresh",
    "upgrade",
    "allow",
    "x-ssoproof-probe",
];

/// Values that are new in every run, with what stands for them. Same values get the same number, but for times.
static VOLATILE: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    [
        ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        ("proxy", r"authentik_proxy_[0-9a-f]{8}"),
        ("hash", r"\b[0-9a-f]{64}\b"),
        ("id", r"\b[0-9a-f]{32}\b"),
        ("client", r"\b[A-Za-z0-9]{40}\b"),
        ("time", r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?"),
        ("time", r"\b20\d{6}T\d{6}Z\b"),
        ("time", r"(?:%2F|\b)20\d{2}[01]\d[0-3]\d\b"),
        ("port", r"127\.0\.0\.1:\d+"),
    ]
    .into_iter()
    .filter_map(|(kind, pattern)| Some((kind, Regex::new(pattern).ok()?)))
    .collect()
});

/// Objects of the API by number: who was made first is a matter of chance.
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is known to compile")]
    Regex::new(r"(/api/v3/(?:core|providers)/[a-z0-9_]+/)\d+/").expect("pattern")
});

/// The hops of `ledger`, a few lines each, with secrets as tokens and what is new in every run as numbers; those that
/// are kept by chance are left out.
pub fn normal_form(ledger: &Ledger, redactor: &Redactor) -> String {
    let mut text = String::new();
    let hops = ledger.hops.iter().filter(|hop| hop.cause != Cause::Load);
    for (number, hop) in (1..).zip(hops) {
        write_hop(&mut text, ledger, number, hop);
    }
    numbered(&redactor.redact(&text))
}

fn write_hop(text: &mut String, ledger: &Ledger, number: usize, hop: &Hop) {
    let target = hop.request.target.as_ref().map(|target| format!(" as {target}")).unwrap_or_default();
    let _ = writeln!(
        text,
        "{} {} {} {} {}{target}",
        number,
        hop.actor,
        hop.cause,
        hop.request.method,
        shown(&hop.request.url)
    );
    let response = match &hop.outcome {
        Ok(response) => response,
        Err(error) => {
            let _ = writeln!(text, "  no answer: {:?}", error.kind);
            return;
        }
    };
    let _ = match hop.redirect_target() {
        Some(target) => writeln!(text, "  {} → {}", response.status, shown(&target)),
        None => writeln!(text, "  {}", response.status),
    };
    for name in HEADERS {
        for value in response.header_values(name) {
            let _ = writeln!(text, "  {name}: {}", String::from_utf8_lossy(value));
        }
    }
    for change in &hop.jar {
        write_change(text, change);
    }
    if let Some(report) = ledger.arrived(hop) {
        for line in report["headers"].as_array().into_iter().flatten() {
            let name = line[0].as_str().unwrap_or_default();
            if is_identity(name) {
                let _ = writeln!(text, "  arrived {name}: {}", line[1].as_str().unwrap_or("bytes"));
            }
        }
    }
}

fn write_change(text: &mut String, change: &JarChange) {
    let _ = match &change.kind {
        ChangeKind::Set => writeln!(text, "  + {} {}", change.name, attributes(&change.attributes)),
        // Whether the value differs is the clock's doing where the value is a time.
        ChangeKind::Replaced { .. } => writeln!(text, "  ~ {}", change.name),
        ChangeKind::Removed => writeln!(text, "  - {}", change.name),
        ChangeKind::Rejected { reason } => writeln!(text, "  ! {} {reason}", change.name),
    };
}

/// A URL with what changes masked. The pages and the executor of a flow carry the query they were sent with all
/// along; the hop that led to them has shown it.
fn shown(url: &Url) -> String {
    let masked = mask_url(url);
    let flow = ["/if/flow/", "/api/v3/flows/executor/"].iter().any(|start| url.path().starts_with(start));
    match masked.split_once('?') {
        Some((path, _)) if flow => format!("{path}?…"),
        _ => masked,
    }
}

/// Request headers that say who and whence.
pub(crate) fn is_identity(name: &str) -> bool {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    ["x-authentik-", "x-forwarded-", "x-real-ip", "remote-user"].iter().any(|start| lower.starts_with(start))
        && lower != "x-forwarded-server"
}

fn attributes(attributes: &CookieAttributes) -> String {
    let mut words = vec![format!("{}{}", attributes.domain, attributes.path)];
    if !attributes.host_only {
        words.push("and below".to_owned());
    }
    if attributes.secure {
        words.push("Secure".to_owned());
    }
    if attributes.http_only {
        words.push("HttpOnly".to_owned());
    }
    words.extend(attributes.same_site.map(|same_site| format!("SameSite={same_site}")));
    words.extend(attributes.max_age.map(|seconds| format!("Max-Age={seconds}")));
    words.join(" ")
}

/// `text` with what is new in every run as its kind alone, so that one more value shifts no other.
pub(crate) fn typed(text: &str) -> String {
    let mut out = NUMBERS.replace_all(text, "$1<pk>/").into_owned();
    for (kind, pattern) in VOLATILE.iter() {
        out = pattern.replace_all(&out, format!("<{kind}>")).into_owned();
    }
    out
}

fn numbered(text: &str) -> String {
    let mut out = NUMBERS.replace_all(text, "$1<pk>/").into_owned();
    for (kind, pattern) in VOLATILE.iter() {
        // Two moments are the same or not by chance.
        if *kind == "time" {
            out = pattern.replace_all(&out, "<time>").into_owned();
            continue;
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let replaced = pattern.replace_all(&out, |found: &regex::Captures<'_>| {
            let next = seen.len() + 1;
            let number = *seen.entry(found[0].to_owned()).or_insert(next);
            format!("<{kind}#{number}>")
        });
        out = replaced.into_owned();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_written_again_reads_the_same_whether_its_value_changed() {
        let attributes = CookieAttributes {
            domain: "a.test".into(),
            host_only: true,
            path: "/".into(),
            secure: false,
            http_only: false,
            same_site: None,
            max_age: None,
            expires: None,
        };
        let [same, other] = [false, true].map(|value_changed| {
            let mut text = String::new();
            write_change(
                &mut text,
                &JarChange {
                    kind: ChangeKind::Replaced { value_changed },
                    name: "grafana_session_expiry".into(),
                    value: "1790000000".into(),
                    attributes: attributes.clone(),
                },
            );
            text
        });
        assert_eq!(same, "  ~ grafana_session_expiry\n");
        assert_eq!(same, other);
    }

    #[test]
    fn the_same_value_keeps_its_number() {
        let text =
            "authentik_proxy_0123abcd authentik_proxy_ffffffff authentik_proxy_0123abcd 127.0.0.1:4711";
        assert_eq!(numbered(text), "<proxy#1> <proxy#2> <proxy#1> <port#1>");
    }
}
