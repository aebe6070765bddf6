//! Claims, an expression, and the role that Grafana gives.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use ssoproof::explain::role::{OrgQuestion, RoleQuestion, explain};
use ssoproof_embedded::grafana::role::{RoleSettings, Sources};

use crate::Tried;
use crate::cases::said;

/// One triple.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Triple {
    id: String,
    title: String,
    expression: String,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    allow_grafana_admin: bool,
    #[serde(default)]
    skip_sync: bool,
    #[serde(default)]
    org_mapping: Vec<String>,
    id_token: Option<Value>,
    userinfo: Option<Value>,
    access_token: Option<Value>,
    expect: Expected,
}

/// What must come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    role: Option<String>,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    refused: bool,
    grafana_admin: Option<bool>,
    source: Option<String>,
    #[serde(default)]
    retried: bool,
    arm: Option<usize>,
    #[serde(default)]
    advice: Vec<String>,
    says: Option<String>,
}

/// Every triple.
pub(crate) fn tried() -> Vec<Tried> {
    let triples: Vec<Triple> = serde_json::from_str(include_str!("data/grafana.json")).expect("triples");
    triples
        .into_iter()
        .map(|triple| Tried::new(&triple.id.clone(), &triple.title.clone(), move || check(&triple)))
        .collect()
}

fn check(triple: &Triple) -> Result<(), String> {
    let orgs = (!triple.org_mapping.is_empty()).then(|| OrgQuestion {
        entries: triple.org_mapping.clone(),
        attribute_path: "groups".to_owned(),
        known: BTreeMap::from([("Main Org.".to_owned(), 1)]),
    });
    let explanation = explain(&RoleQuestion {
        settings: RoleSettings {
            attribute_path: triple.expression.clone(),
            strict: triple.strict,
            allow_assign_grafana_admin: triple.allow_grafana_admin,
            skip_org_role_sync: triple.skip_sync,
            ..RoleSettings::default()
        },
        sources: Sources {
            id_token: triple.id_token.clone(),
            userinfo: triple.userinfo.clone(),
            access_token: triple.access_token.clone(),
        },
        orgs,
    });
    let text = explanation.to_string();
    let expected = &triple.expect;
    let decider = explanation.sources.iter().find(|source| source.end.starts_with("role "));
    let search = decider.and_then(|source| source.searches.last());
    let decides = search.and_then(|search| search.arms.iter().position(|arm| arm.decides));
    let found = [
        ("refused", explanation.refused == expected.refused),
        ("role", explanation.role.map(|role| role.to_string()) == expected.role),
        ("default", explanation.verdict.contains("auto_assign_org_role") == expected.default),
        ("server admin", explanation.grafana_admin == expected.grafana_admin),
        (
            "source",
            expected.source.is_none() || decider.map(|source| &source.source) == expected.source.as_ref(),
        ),
        ("retry", decider.is_some_and(|source| source.searches.len() > 1) == expected.retried),
        ("arm", expected.arm.is_none() || decides.map(|place| place + 1) == expected.arm),
    ];
    if let Some((what, _)) = found.iter().find(|(_, same)| !same) {
        return Err(format!("{what} is another in\n{text}"));
    }
    let given: Vec<&str> = explanation.advice.iter().map(|advice| advice.rule).collect();
    said(&given, &expected.advice, expected.says.as_deref(), &text)
}
