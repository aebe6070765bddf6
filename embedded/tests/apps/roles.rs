//! The role mapping against `truth/jmespath`, all 82 pairs, and against the executed triples of known cases.

use serde::Deserialize;
use serde_json::{Value, json};
use ssoproof_embedded::grafana::role::{
    End, Found, Mapping, Outcome, Role, RoleSettings, Sources, Subject, map_role,
};

#[derive(Deserialize)]
struct Pair {
    id: u32,
    note: String,
    expr: String,
    claims: Value,
    /// What Grafana's own JMESPath library gives.
    go: Answer,
    grafana: Pipeline,
}

#[derive(Deserialize)]
struct Answer {
    ok: Option<Value>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Pipeline {
    from: String,
    grafana_admin: Option<bool>,
    invalid_role: Option<String>,
    role_nonstrict: String,
    role_strict: String,
}

/// Pairs whose expression our library reads otherwise than Grafana's: the extensions of `jmespath-community` and
/// integers beyond 2^53.
const LIBRARY_DIFFERS: [(u32, &str); 8] = [
    (60, "JEP-18 let (community only)"),
    (61, "split (community only)"),
    (62, "lower (community only)"),
    (63, "replace (community)"),
    (64, "arithmetic (community)"),
    (65, "root ref"),
    (69, "hyphen unquoted"),
    (71, "bigint"),
];
/// Those of them that end in another role.
const ROLE_DIFFERS: [u32; 2] = [60, 61];

fn pairs() -> Vec<Pair> {
    serde_json::from_str(include_str!("data/role-pairs.json")).unwrap()
}

fn mapped(expr: &str, claims: &Value, strict: bool) -> Mapping {
    let settings = RoleSettings { attribute_path: expr.to_owned(), strict, ..RoleSettings::default() };
    map_role(&settings, &Sources { id_token: Some(claims.clone()), ..Sources::default() })
}

fn words(mapping: &Mapping) -> String {
    match mapping.outcome {
        Outcome::Mapped(role) => role.to_string(),
        Outcome::Default(role) => format!("{role} (auto_assign_org_role)"),
        Outcome::Refused => "login refused".to_owned(),
        Outcome::NotSynced => "not synced".to_owned(),
    }
}

#[test]
fn every_recorded_pair_ends_in_the_recorded_role() {
    let pairs = pairs();
    assert_eq!(pairs.len(), 82);
    for pair in pairs {
        let loose = words(&mapped(&pair.expr, &pair.claims, false));
        let strict = words(&mapped(&pair.expr, &pair.claims, true));
        let same = loose == pair.grafana.role_nonstrict && strict == pair.grafana.role_strict;
        let expected = !ROLE_DIFFERS.contains(&pair.id);
        assert_eq!(same, expected, "{} {}: {loose}, strict {strict}", pair.id, pair.note);
    }
}

#[test]
fn every_recorded_pair_leaves_the_recorded_trace() {
    for pair in pairs() {
        let differs = LIBRARY_DIFFERS.iter().any(|(id, note)| *id == pair.id && *note == pair.note);
        let trace = &mapped(&pair.expr, &pair.claims, false).trace[0];
        let from = match (&trace.end, trace.searches.last().map(|search| search.on)) {
            (End::PathNotSet, _) => "path not set",
            (End::NoRole, _) => "none",
            (_, Some(Subject::EmptyGroups)) => "fallback {\"groups\":[]}",
            _ => "claims",
        };
        let (admin, invalid) = match &trace.end {
            End::Role(_, admin) => (Some(*admin), None),
            End::InvalidRole(name) => (None, Some(name.clone())),
            _ => (None, None),
        };
        let recorded = (pair.grafana.from.as_str(), pair.grafana.grafana_admin, pair.grafana.invalid_role);
        let first = trace.searches.first().map(|search| &search.found);
        // A recorded `null` is read as no value.
        let value = pair.go.ok.unwrap_or_default();
        let searched = match (first, &pair.go.error) {
            (None, _) => true,
            (Some(Found::Text(text)), None) => value == *text,
            (Some(Found::Dropped(json)), None) => serde_json::from_str::<Value>(json).unwrap() == value,
            (Some(Found::Error(_)), Some(_)) => true,
            _ => false,
        };
        let same = (from, admin, invalid.clone()) == recorded && searched;
        assert_eq!(same, !differs, "{} {}: {from} {admin:?} {invalid:?} {first:?}", pair.id, pair.note);
    }
}

#[test]
fn known_cases_from_the_issue_trackers_end_as_executed() {
    let admins = json!({ "sub": "u1", "groups": ["grafana-admins"] });
    let ended = |expr: &str, claims: &Value| mapped(expr, claims, false).outcome;
    let (mapped_to, default) = (Outcome::Mapped, Outcome::Default(Role::Viewer));
    // G12 and G13: `&&` binds tighter, and `true` is no role.
    let a = json!({ "groups": ["a"] });
    assert_eq!(ended("contains(groups[*], 'a') || contains(groups[*], 'b') && 'Admin'", &a), default);
    assert_eq!(
        ended("(contains(groups[*], 'a') || contains(groups[*], 'b')) && 'Admin' || 'Viewer'", &a),
        mapped_to(Role::Admin)
    );
    // G15, G31, G39: an unknown role, one pipe too few, a wrong prefix.
    assert_eq!(ended("contains(groups[*], 'grafana-admins') && 'superuser' || 'Viewer'", &admins), default);
    assert_eq!(
        ended("contains(groups[*], 'grafana-admins') && 'Admin' | 'Viewer'", &admins),
        mapped_to(Role::Viewer)
    );
    assert_eq!(ended("contains(info.groups[*], 'grafana-admins') && 'Admin'", &admins), default);
    // G19: a name in another normalisation form is another name.
    let decomposed = json!({ "groups": ["e\u{301}quipe"] });
    assert_eq!(
        ended("contains(groups[*], '\u{e9}quipe') && 'Editor' || 'Viewer'", &decomposed),
        mapped_to(Role::Viewer)
    );
    // G22: a text search finds more than the group.
    let former = json!({ "groups": ["former-grafana-admins-2019"] });
    assert_eq!(
        ended("contains(to_string(groups), 'grafana-admins') && 'Admin' || 'Viewer'", &former),
        mapped_to(Role::Admin)
    );
    // G32: a syntax error refuses everyone when strict.
    let broken = "contains(groups[*], 'grafana-admins' && 'Admin'";
    assert_eq!(mapped(broken, &admins, true).outcome, Outcome::Refused);
    // G34 and G44: an empty list is false, the text "false" is true.
    let x = json!({ "groups": ["x"] });
    assert_eq!(ended("groups[?@ == 'grafana-admins'] && 'Admin' || 'Viewer'", &x), mapped_to(Role::Viewer));
    assert_eq!(
        ended("is_admin && 'Admin' || 'Viewer'", &json!({ "is_admin": "false" })),
        mapped_to(Role::Admin)
    );
}
