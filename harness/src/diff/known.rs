//! Changes that are known upstream, as data: they annotate what differs and hide nothing.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};
use ssoproof_deployment::Source;

use super::compare::{Difference, Kind};
use super::saved::Versions;

/// A change of one component.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// What changed.
    pub title: String,
    /// Whose change it is.
    pub component: Component,
    /// The first version with it.
    pub since: String,
    /// Where it is told.
    pub reference: String,
    /// What shows it.
    #[serde(skip_serializing)]
    shows: Vec<Shows>,
}

/// A component with versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// Authentik.
    Authentik,
    /// Traefik.
    Traefik,
}

/// How a change shows: every pattern that is given is found.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shows {
    kind: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    value: String,
}

/// An entry with its patterns.
struct Entry {
    known: Known,
    shows: Vec<Patterns>,
}

struct Patterns {
    kind: String,
    place: Regex,
    subject: Regex,
    value: Regex,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a test reads the table")]
    read().expect("known.yaml")
});

fn read() -> Result<Vec<Entry>, String> {
    let source = Source::inline("known.yaml", include_str!("known.yaml"));
    let known: Vec<Known> = source.yaml().map_err(|problem| problem.to_string())?;
    let pattern = |text: &str| Regex::new(text).map_err(|error| error.to_string());
    let mut entries = Vec::new();
    for known in known {
        let mut shows = Vec::new();
        for one in &known.shows {
            shows.push(Patterns {
                kind: one.kind.clone(),
                place: pattern(&one.place)?,
                subject: pattern(&one.subject)?,
                value: pattern(&one.value)?,
            });
        }
        entries.push(Entry { known, shows });
    }
    Ok(entries)
}

/// The name of `kind` in the table.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Verdict => "verdict",
        Kind::Hop => "hop",
        Kind::Status => "status",
        Kind::TargetHost | Kind::TargetPath => "redirect",
        Kind::Parameter => "parameter",
        Kind::Cookie | Kind::CookieAttribute => "cookie",
        Kind::Header => "header",
        Kind::Identity => "identity",
        Kind::Claim => "claim",
        Kind::Field => "field",
        Kind::Text => "text",
        Kind::Time => "time",
    }
}

/// What is known of `difference` between these versions.
pub(super) fn about(difference: &Difference, from: &Versions, to: &Versions) -> Vec<&'static Known> {
    let crossed = |known: &Known| {
        let (from, to) = match known.component {
            Component::Authentik => (&from.authentik, &to.authentik),
            Component::Traefik => (&from.traefik, &to.traefik),
        };
        reached(from, &known.since) != reached(to, &known.since)
    };
    let value = format!(
        "{}\n{}",
        difference.from.as_deref().unwrap_or_default(),
        difference.to.as_deref().unwrap_or_default()
    );
    let shown = |shows: &Patterns| {
        shows.kind == name(difference.kind)
            && shows.place.is_match(&difference.place)
            && shows.subject.is_match(&difference.subject)
            && shows.value.is_match(&value)
    };
    ENTRIES
        .iter()
        .filter(|entry| crossed(&entry.known) && entry.shows.iter().any(shown))
        .map(|entry| &entry.known)
        .collect()
}

/// Whether `version` is `since` or newer.
fn reached(version: &str, since: &str) -> bool {
    let numbers = |version: &str| -> Vec<u32> {
        version.trim_start_matches('v').split('.').map_while(|part| part.parse().ok()).collect()
    };
    numbers(version) >= numbers(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_every_entry_has_a_reference_and_a_sign() {
        let entries = read().unwrap();
        assert!(entries.len() >= 10);
        for entry in entries {
            assert!(entry.known.reference.contains("http") || entry.known.reference.contains("recorded"));
            assert!(!entry.shows.is_empty(), "{} shows nowhere", entry.known.title);
            let kinds = [
                "verdict",
                "hop",
                "status",
                "redirect",
                "parameter",
                "cookie",
                "header",
                "identity",
                "claim",
                "field",
                "text",
            ];
            assert!(entry.shows.iter().all(|shows| kinds.contains(&shows.kind.as_str())));
        }
    }

    #[test]
    fn a_change_is_named_only_where_the_versions_cross_it() {
        let difference = Difference {
            kind: Kind::Claim,
            place: String::new(),
            subject: "id_token.email_verified".into(),
            from: Some("true".into()),
            to: Some("false".into()),
            renamed: None,
            elsewhere: false,
            hops: (None, None),
        };
        let version = |authentik: &str| Versions { authentik: authentik.into(), ..Versions::default() };
        let titles = |from: &str, to: &str| about(&difference, &version(from), &version(to)).len();
        assert_eq!(titles("2025.8", "2026.2"), 1);
        assert_eq!(titles("2026.2", "2025.8.6"), 1);
        assert_eq!(titles("2025.12.4", "2026.2"), 0);
    }
}
