//! `ssoproof explain role`: how Grafana comes from claims to a role, search by search and arm by arm.

mod arms;
mod lexer;
mod lint;
mod rules;
mod text;
mod values;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use ssoproof_embedded::grafana::checked;
use ssoproof_embedded::grafana::orgs::{OrgMapping, Organisations};
use ssoproof_embedded::grafana::role::{
    End, Found, Mapping, Outcome, Role, RoleSettings, SourceTrace, Sources, Subject, map_role,
};

use super::Advice;
pub use arms::{Arm, Part};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct RoleQuestion {
    /// Grafana's settings about roles.
    pub settings: RoleSettings,
    /// The claims of every source there is.
    pub sources: Sources,
    /// `org_mapping`, where it is set.
    pub orgs: Option<OrgQuestion>,
}

/// The settings of `org_mapping`.
#[derive(Clone, Debug, Default)]
pub struct OrgQuestion {
    /// The entries.
    pub entries: Vec<String>,
    /// `org_attribute_path`.
    pub attribute_path: String,
    /// The organisations there are.
    pub known: Organisations,
}

/// How the role came about.
#[derive(Clone, Debug, Serialize)]
pub struct RoleExplanation {
    /// The expression.
    pub expression: String,
    /// The end: `Admin`, `Viewer (auto_assign_org_role)`, `refused (role_attribute_strict)`, `not synced`.
    pub verdict: String,
    /// The role; `null` when the login is refused or roles are not synced.
    pub role: Option<Role>,
    /// Whether the login is refused.
    pub refused: bool,
    /// Whether the user becomes or ceases to be a server administrator; `null` leaves it.
    pub grafana_admin: Option<bool>,
    /// What decided, in one line.
    pub decided_by: String,
    /// What every source gave, in the order asked.
    pub sources: Vec<SourceExplained>,
    /// The role in each organisation, where `org_mapping` is set.
    pub organisations: Option<BTreeMap<i64, Role>>,
    /// What to mend or to know.
    pub advice: Vec<Advice>,
}

/// What one source gave.
#[derive(Clone, Debug, Serialize)]
pub struct SourceExplained {
    /// `id_token`, `userinfo` or `access_token`.
    pub source: String,
    /// What came of it, in words.
    pub end: String,
    /// Its searches.
    pub searches: Vec<SearchExplained>,
}

/// One search of a source.
#[derive(Clone, Debug, Serialize)]
pub struct SearchExplained {
    /// `the claims` or `{"groups":[]}`.
    pub on: &'static str,
    /// What the expression gave: JSON, or the error.
    pub gave: String,
    /// Every arm of the expression.
    pub arms: Vec<Arm>,
}

/// Explains `question`.
pub fn explain(question: &RoleQuestion) -> RoleExplanation {
    let mut unreadable = Vec::new();
    let sources = readable(&question.sources, &mut unreadable);
    let mapping = map_role(&question.settings, &sources);
    let expression = question.settings.attribute_path.clone();
    let explained: Vec<SourceExplained> =
        mapping.trace.iter().map(|trace| source(&expression, trace, &sources)).collect();
    let mut advice = lint::advise(&lint::Scene {
        settings: &question.settings,
        sources: &sources,
        mapping: &mapping,
        ast: jmespath::compile(&expression).ok().map(|compiled| compiled.as_ast().clone()),
    });
    advice.extend(unreadable);
    let mut explanation = RoleExplanation {
        decided_by: decided_by(&mapping, &explained),
        expression,
        verdict: verdict(&mapping),
        role: mapping.role(),
        refused: mapping.refused(),
        grafana_admin: mapping.grafana_admin,
        sources: explained,
        organisations: None,
        advice,
    };
    if let Some(orgs) = &question.orgs {
        organise(&mut explanation, question, orgs, &sources, &mapping);
    }
    explanation
}

/// The sources whose fields have the types that Grafana's struct wants; of the others, why they are dropped.
fn readable(sources: &Sources, unreadable: &mut Vec<Advice>) -> Sources {
    let mut read = |name: &str, claims: &Option<Value>| {
        claims.clone().and_then(|claims| {
            let dropped = |error| {
                unreadable.push(Advice::new(
                    "source-dropped",
                    format!("Grafana drops the whole {name}: {error}"),
                    "send standard claims such as `sub`, `name` and `email` as strings",
                ));
            };
            checked(claims).map_err(dropped).ok()
        })
    };
    Sources {
        id_token: read("id_token", &sources.id_token),
        userinfo: read("userinfo", &sources.userinfo),
        access_token: read("access_token", &sources.access_token),
    }
}

fn source(expression: &str, trace: &SourceTrace, sources: &Sources) -> SourceExplained {
    let claims = sources.in_order().into_iter().find(|(source, _)| *source == trace.source);
    let claims = claims.and_then(|(_, claims)| claims);
    let searches = trace.searches.iter().map(|search| {
        let (on, data) = match search.on {
            Subject::Claims => ("the claims", claims.cloned().unwrap_or_default()),
            Subject::EmptyGroups => ("{\"groups\":[]}", json!({ "groups": [] })),
        };
        let gave = match &search.found {
            Found::Text(text) => format!("{text:?}"),
            Found::Dropped(json) => json.clone(),
            Found::Error(error) => format!("error: {error}"),
        };
        SearchExplained { on, gave, arms: arms::evaluate(expression, &data) }
    });
    let end = match &trace.end {
        End::Role(role, false) => format!("role {role}"),
        End::Role(role, true) => format!("role {role}, from GrafanaAdmin"),
        End::InvalidRole(name) => format!("invalid role {name:?}: the source is dropped"),
        End::NoRole => "no role".to_owned(),
        End::PathNotSet => "role_attribute_path is not set".to_owned(),
        End::Absent => "no claims given".to_owned(),
        End::NotAsked => "not asked: the role is known".to_owned(),
        End::Skipped => "not asked: skip_org_role_sync".to_owned(),
    };
    SourceExplained { source: trace.source.to_string(), end, searches: searches.collect() }
}

fn verdict(mapping: &Mapping) -> String {
    match mapping.outcome {
        Outcome::Mapped(role) => role.to_string(),
        Outcome::Default(role) => format!("{role} (auto_assign_org_role)"),
        Outcome::NotSynced => "not synced (skip_org_role_sync)".to_owned(),
        Outcome::Refused => "login refused (role_attribute_strict)".to_owned(),
    }
}

fn decided_by(mapping: &Mapping, explained: &[SourceExplained]) -> String {
    match mapping.outcome {
        Outcome::Default(_) => "no source gave a role".to_owned(),
        Outcome::Refused => "no source gave a role, and the mapping is strict".to_owned(),
        Outcome::NotSynced => "roles are not synced: the user keeps theirs".to_owned(),
        Outcome::Mapped(_) => {
            let decider = mapping.trace.iter().zip(explained);
            let decider = decider.into_iter().find(|(trace, _)| matches!(trace.end, End::Role(..)));
            decider.map(|(_, source)| decider_text(source)).unwrap_or_default()
        }
    }
}

fn decider_text(source: &SourceExplained) -> String {
    let Some(search) = source.searches.last() else { return source.source.clone() };
    let again = if source.searches.len() > 1 { ", retried on {\"groups\":[]}" } else { "" };
    let arm = search.arms.iter().enumerate().find(|(_, arm)| arm.decides);
    let arm = arm.map(|(place, arm)| format!(", arm {} of {}: {}", place + 1, search.arms.len(), arm.text));
    format!("{}{again}{}", source.source, arm.unwrap_or_default())
}

/// Adds what `org_mapping` makes of it.
fn organise(
    explanation: &mut RoleExplanation,
    question: &RoleQuestion,
    orgs: &OrgQuestion,
    sources: &Sources,
    mapping: &Mapping,
) {
    let strict = question.settings.strict;
    let parsed = OrgMapping::parse(&orgs.entries, strict, &orgs.known);
    for bad in &parsed.bad {
        let effect = if strict {
            "role_attribute_strict discards the whole mapping for everybody"
        } else {
            "this entry alone is skipped"
        };
        explanation.advice.push(Advice::new(
            "org-mapping",
            format!("org_mapping entry `{}`: {}; {effect}", bad.entry, bad.why),
            "write `group:organisation:role`, with an organisation that exists and a role of Grafana's",
        ));
    }
    let outer = sources.in_order().into_iter().filter_map(|(_, claims)| claims).find_map(|claims| {
        let names: Vec<String> = match values::search(&orgs.attribute_path, claims) {
            Ok(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        (!names.is_empty()).then_some(names)
    });
    let direct = match mapping.outcome {
        Outcome::Mapped(role) => Some(role),
        Outcome::NotSynced => return,
        Outcome::Default(_) | Outcome::Refused => None,
    };
    let first = orgs.known.values().min().copied().unwrap_or(1);
    let default = (first, question.settings.auto_assign_org_role);
    let roles = parsed.map(&outer.unwrap_or_default(), direct, &orgs.known, default);
    explanation.refused = roles.is_none();
    match &roles {
        Some(roles) => {
            let listed: Vec<String> = roles.iter().map(|(id, role)| format!("{role} in {id}")).collect();
            explanation.verdict = format!("{} (by organisation)", listed.join(", "));
            explanation.role = roles.get(&first).copied();
        }
        None => {
            "login refused (role_attribute_strict)".clone_into(&mut explanation.verdict);
            explanation.role = None;
        }
    }
    explanation.organisations = roles;
}
