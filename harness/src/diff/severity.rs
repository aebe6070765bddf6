//! How bad a difference is, and why.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use regex::Regex;
use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

use super::compare::{Difference, Kind};

/// How bad a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something that worked no longer does, or less safely.
    Breaking,
    /// Something is done another way.
    Changed,
    /// Nothing acts on it.
    Cosmetic,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 3] = [Self::Breaking, Self::Changed, Self::Cosmetic];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Changed => "changed",
            Self::Cosmetic => "cosmetic",
        }
    }
}

/// Versions, the fingerprints in the names of assets, and nothing else.
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is known to compile")]
    Regex::new(r"\b20\d\d\.\d+(?:\.\d+)?\b|\bv?\d+\.\d+\.\d+\b|-[A-Za-z0-9_]{8}\.(?:js|css|svg|png)\b")
        .expect("pattern")
});

/// The severity of `difference` in a case that holds on both sides, or not, and the reason.
pub(super) fn of(difference: &Difference) -> (Severity, &'static str) {
    use Severity::{Breaking, Changed, Cosmetic};
    let (from, to) = (difference.from.as_deref(), difference.to.as_deref());
    if let (Some(from), Some(to)) = (from, to)
        && difference.kind != Kind::Status
        && unversioned(from) == unversioned(to)
    {
        return (Cosmetic, "only a version or the name of an asset differs");
    }
    let lost = to.is_none();
    match difference.kind {
        Kind::Verdict => verdict(from, to),
        Kind::Status => status(from, to),
        Kind::Hop => (Changed, if lost { "a hop fewer" } else { "a hop more" }),
        Kind::TargetHost => (Breaking, "the redirect leads to another host"),
        Kind::TargetPath => (Changed, "the redirect leads to another path"),
        Kind::Parameter => (Changed, "the redirect carries other parameters"),
        Kind::Cookie => cookie(difference),
        Kind::CookieAttribute => attribute(difference),
        Kind::Header => header(difference),
        Kind::Identity | Kind::Claim if difference.renamed.is_some() => {
            (Breaking, "who reads the old name finds nothing")
        }
        Kind::Identity if lost => (Breaking, "an identity header no longer reaches the service"),
        Kind::Identity if reencoded(from, to) => (Changed, "the same value, written another way"),
        Kind::Claim if lost => (Breaking, "a claim is missing"),
        Kind::Identity if from.is_none() => (Changed, "a new header reaches the service"),
        Kind::Claim if from.is_none() => (Changed, "a new claim"),
        Kind::Field if lost => (Changed, "a field is gone"),
        Kind::Field if from.is_none() => (Changed, "a new field"),
        Kind::Text => (Changed, "it is said in other words"),
        Kind::Time => (Changed, "the answer takes far longer, or far less long"),
        Kind::Identity | Kind::Claim | Kind::Field => (Changed, "another value"),
    }
}

fn unversioned(text: &str) -> std::borrow::Cow<'_, str> {
    VERSION.replace_all(text, "<version>")
}

fn verdict(from: Option<&str>, to: Option<&str>) -> (Severity, &'static str) {
    let holds = |verdict: Option<&str>| matches!(verdict, Some("passed" | "warned" | "unexpected pass"));
    match (holds(from), holds(to)) {
        (true, false) => (Severity::Breaking, "what held no longer holds"),
        (false, true) => (Severity::Changed, "what did not hold now does"),
        _ => (Severity::Changed, "another verdict"),
    }
}

fn status(from: Option<&str>, to: Option<&str>) -> (Severity, &'static str) {
    let class = |status: Option<&str>| status.and_then(|status| status.chars().next());
    if class(from) == class(to) {
        (Severity::Changed, "another status of the same class")
    } else {
        (Severity::Breaking, "a status of another class")
    }
}

fn cookie(difference: &Difference) -> (Severity, &'static str) {
    match (difference.from.as_deref(), difference.to.as_deref()) {
        (Some("set" | "set again"), None) if difference.elsewhere => {
            (Severity::Changed, "the browser has the cookie all the same")
        }
        (Some("set" | "set again"), None) => (Severity::Breaking, "a cookie is no longer set"),
        (Some("removed"), None) => (Severity::Breaking, "a cookie is no longer removed"),
        (Some(_), Some("refused")) => (Severity::Breaking, "browsers no longer take the cookie"),
        (None, _) => (Severity::Changed, "a cookie more"),
        _ => (Severity::Changed, "the cookie fares another way"),
    }
}

fn attribute(difference: &Difference) -> (Severity, &'static str) {
    let name = difference.subject.rsplit(' ').next().unwrap_or_default();
    let strength = |value: Option<&str>| match value {
        Some("Strict") => 2,
        Some("Lax") => 1,
        _ => 0,
    };
    let (from, to) = (difference.from.as_deref(), difference.to.as_deref());
    match name {
        "Secure" | "HttpOnly" if to.is_none() => (Severity::Breaking, "a cookie has lost a protection"),
        "SameSite" if strength(to) < strength(from) => (Severity::Breaking, "a cookie has lost a protection"),
        "Domain" if from.is_none() => (Severity::Breaking, "more hosts get the cookie"),
        "Domain" => (Severity::Breaking, "other hosts get the cookie"),
        "Path" => (Severity::Breaking, "other paths get the cookie"),
        _ => (Severity::Changed, "another attribute"),
    }
}

fn header(difference: &Difference) -> (Severity, &'static str) {
    let (from, to) = (difference.from.as_deref(), difference.to.as_deref());
    let media =
        |value: Option<&str>| value.map(|value| value.split(';').next().unwrap_or_default().to_owned());
    if difference.subject == "content-type" && media(from) == media(to) {
        return (Severity::Cosmetic, "the same media type");
    }
    match (from, to) {
        _ if difference.renamed.is_some() => (Severity::Changed, "the header has another name"),
        (Some(_), None) => (Severity::Changed, "a header is gone"),
        (None, _) => (Severity::Changed, "a new header"),
        _ if reencoded(from, to) => (Severity::Changed, "the same value, written another way"),
        _ => (Severity::Changed, "another value"),
    }
}

/// Whether both are the same text: percent-encoded or not, in whatever form of Unicode.
fn reencoded(from: Option<&str>, to: Option<&str>) -> bool {
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().nfc().collect::<String>();
    matches!((from, to), (Some(from), Some(to)) if plain(from) == plain(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kind(kind: Kind, subject: &str, from: Option<&str>, to: Option<&str>) -> Severity {
        let text = |side: Option<&str>| side.map(str::to_owned);
        of(&Difference {
            kind,
            place: String::new(),
            subject: subject.to_owned(),
            from: text(from),
            to: text(to),
            renamed: None,
            elsewhere: false,
            hops: (None, None),
        })
        .0
    }

    #[test]
    fn what_is_lost_breaks_and_what_is_new_changes() {
        for kind in [Kind::Identity, Kind::Claim] {
            assert_eq!(of_kind(kind, "x", Some("alice"), None), Severity::Breaking);
            assert_eq!(of_kind(kind, "x", None, Some("alice")), Severity::Changed);
        }
        assert_eq!(of_kind(Kind::Status, "", Some("302"), Some("502")), Severity::Breaking);
        assert_eq!(of_kind(Kind::Status, "", Some("302"), Some("303")), Severity::Changed);
        assert_eq!(of_kind(Kind::Verdict, "", Some("passed"), Some("failed")), Severity::Breaking);
        assert_eq!(of_kind(Kind::Verdict, "", Some("failed"), Some("passed")), Severity::Changed);
        assert_eq!(of_kind(Kind::Hop, "GET /", None, Some("200")), Severity::Changed);
    }

    #[test]
    fn a_weaker_cookie_breaks_and_a_stronger_one_changes() {
        assert_eq!(of_kind(Kind::CookieAttribute, "s Secure", Some(""), None), Severity::Breaking);
        assert_eq!(of_kind(Kind::CookieAttribute, "s Secure", None, Some("")), Severity::Changed);
        assert_eq!(
            of_kind(Kind::CookieAttribute, "s SameSite", Some("Lax"), Some("None")),
            Severity::Breaking
        );
        assert_eq!(
            of_kind(Kind::CookieAttribute, "s SameSite", Some("Lax"), Some("Strict")),
            Severity::Changed
        );
    }

    #[test]
    fn versions_and_assets_are_cosmetic() {
        let (from, to) = (Some("authentik 2025.8.6"), Some("authentik 2026.2.2"));
        assert_eq!(of_kind(Kind::Text, "", from, to), Severity::Cosmetic);
        let (from, to) = (Some("/static/index-0a1b2c3d.js"), Some("/static/index-9z8y7x6w.js"));
        assert_eq!(of_kind(Kind::Field, "script", from, to), Severity::Cosmetic);
        let (from, to) = (Some("application/json; charset=utf-8"), Some("application/json"));
        assert_eq!(of_kind(Kind::Header, "content-type", from, to), Severity::Cosmetic);
    }
}
