//! Grafana's role mapping: what its JMESPath library finds with an expression in claims, and the role that follows.

use serde::Deserialize;
use serde_json::Value;
use ssoproof_embedded::grafana::role::{
    End, Found, Mapping, Outcome, RoleSettings, SourceTrace, Sources, Subject, map_role,
};

use crate::recording::{Played, Recording};

const PAIRS: &str = include_str!("../data/jmespath/1.1.1/pairs.json");

/// An expression with claims.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    id: u32,
    note: String,
    expr: String,
    claims: Value,
    go: Answer,
    grafana: Role,
}

/// What the library gave.
#[derive(Deserialize)]
struct Answer {
    ok: Option<Value>,
    error: Option<String>,
}

/// What Grafana made of it.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Role {
    from: String,
    grafana_admin: Option<bool>,
    invalid_role: Option<String>,
    role_nonstrict: String,
    role_strict: String,
}

/// The recording, by the version of Grafana's library.
pub(crate) fn recordings() -> Vec<Recording> {
    vec![Recording {
        program: "jmespath",
        version: "1.1.1".to_owned(),
        name: "pairs".to_owned(),
        play: Box::new(play),
    }]
}

fn play() -> Vec<Played> {
    let pairs: Vec<Pair> = serde_json::from_str(PAIRS).expect("pairs.json holds pairs");
    let played = |(at, pair): (usize, &Pair)| Played {
        at,
        request: format!("{} {}", pair.id, pair.note),
        differences: differences(pair),
    };
    pairs.iter().enumerate().map(played).collect()
}

fn differences(pair: &Pair) -> Vec<String> {
    let loose = mapped(pair, false);
    let trace = &loose.trace[0];
    let mut found = Vec::new();
    if let Some(first) = trace.searches.first()
        && !same(&first.found, &pair.go)
    {
        let recorded =
            pair.go.error.clone().unwrap_or_else(|| pair.go.ok.clone().unwrap_or_default().to_string());
        found.push(format!("search here: {:?}, recorded: {recorded}", first.found));
    }
    let here = role(trace, outcome(&loose), outcome(&mapped(pair, true)));
    if here != pair.grafana {
        found.push(format!("role here: {here:?}, recorded: {:?}", pair.grafana));
    }
    found
}

fn mapped(pair: &Pair, strict: bool) -> Mapping {
    let settings = RoleSettings { attribute_path: pair.expr.clone(), strict, ..RoleSettings::default() };
    map_role(&settings, &Sources { id_token: Some(pair.claims.clone()), ..Sources::default() })
}

/// Whether a search found what was recorded. Each library words its errors in its own way; that there is one counts.
fn same(found: &Found, recorded: &Answer) -> bool {
    // A recorded `null` is read as no value.
    let value = recorded.ok.clone().unwrap_or_default();
    match (found, &recorded.error) {
        (Found::Text(text), None) => value == *text,
        (Found::Dropped(json), None) => serde_json::from_str::<Value>(json).is_ok_and(|here| here == value),
        (Found::Error(_), error) => error.is_some(),
        _ => false,
    }
}

fn role(trace: &SourceTrace, role_nonstrict: String, role_strict: String) -> Role {
    let from = match (&trace.end, trace.searches.last().map(|search| search.on)) {
        (End::PathNotSet, _) => "path not set",
        (End::NoRole, _) => "none",
        (_, Some(Subject::EmptyGroups)) => "fallback {\"groups\":[]}",
        _ => "claims",
    };
    let (grafana_admin, invalid_role) = match &trace.end {
        End::Role(_, admin) => (Some(*admin), None),
        End::InvalidRole(name) => (None, Some(name.clone())),
        _ => (None, None),
    };
    Role { from: from.to_owned(), grafana_admin, invalid_role, role_nonstrict, role_strict }
}

fn outcome(mapping: &Mapping) -> String {
    match mapping.outcome {
        Outcome::Mapped(role) => role.to_string(),
        Outcome::Default(role) => format!("{role} (auto_assign_org_role)"),
        Outcome::Refused => "login refused".to_owned(),
        Outcome::NotSynced => "not synced".to_owned(),
    }
}
