//! Claims.

use ssoproof_deployment::Deployment;
use uuid::Uuid;

use super::oidc::providers;
use crate::authentik::State;
use crate::authentik::model::ScopeMapping;
use crate::faults::fault::{Fault, Group, Seam};

/// Gives the apps' providers a mapping of their own for the groups, as one who wants other groups does.
fn groups(state: &mut State, deployment: &Deployment, change: impl Fn(&str) -> String) -> bool {
    let Some(shared) = state.mappings.values().find(|mapping| mapping.scope_name == "profile").cloned()
    else {
        return false;
    };
    let own = ScopeMapping {
        pk: Uuid::new_v4(),
        managed: None,
        name: "profile of our own".to_owned(),
        expression: change(&shared.expression),
        ..shared.clone()
    };
    let (pk, changed) = (own.pk, own.expression != shared.expression);
    state.mappings.insert(pk, own);
    changed
        && providers(state, deployment, |provider| {
            provider.property_mappings.iter_mut().filter(|one| **one == shared.pk).for_each(|one| *one = pk);
        })
}

/// Changes the expressions of the mappings of `scope`.
fn mapping(state: &mut State, scope: &str, change: impl Fn(&str) -> String) -> bool {
    let mut found = false;
    for mapping in state.mappings.values_mut().filter(|mapping| mapping.scope_name == scope) {
        let changed = change(&mapping.expression);
        found |= changed != mapping.expression;
        mapping.expression = changed;
    }
    found
}

/// The part of the mapping that gives the groups.
fn of_groups(expression: &str) -> Option<&str> {
    let start = expression.find("\"groups\":")?;
    let end = expression[start..].find(']')? + start + 1;
    expression.get(start..end)
}

/// The mapping with `written` in the place of its list of groups.
fn with_groups(expression: &str, written: &str) -> String {
    of_groups(expression).map_or_else(|| expression.to_owned(), |part| expression.replace(part, written))
}

fn without_mappings(state: &mut State, deployment: &Deployment) -> bool {
    providers(state, deployment, |provider| provider.property_mappings.clear())
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "groups_are_null",
        group: Group::Claims,
        story: "the mapping gives null for the groups",
        reference: Some("https://github.com/grafana/grafana/issues/25037"),
        breaks: "GRAF-1",
        diagnosis: "SSO-K03",
        seam: Seam::Database(|state, deployment| {
            groups(state, deployment, |text| with_groups(text, "\"groups\": None"))
        }),
    },
    Fault {
        name: "groups_are_text",
        group: Group::Claims,
        story: "the mapping gives the groups as one text",
        reference: Some("https://github.com/grafana/grafana/issues/25037"),
        breaks: "GRAF-1",
        diagnosis: "SSO-K03",
        seam: Seam::Database(|state, deployment| {
            groups(state, deployment, |text| with_groups(text, "\"groups\": \"a|b\""))
        }),
    },
    Fault {
        name: "groups_are_nested",
        group: Group::Claims,
        story: "the mapping gives the groups below another claim",
        reference: Some("https://github.com/grafana/grafana/issues/21667"),
        breaks: "GRAF-1",
        diagnosis: "SSO-O03",
        seam: Seam::Database(|state, deployment| {
            groups(state, deployment, |text| {
                of_groups(text).map_or_else(
                    || text.to_owned(),
                    |part| text.replace(part, &format!("\"realm\": {{{part}}}")),
                )
            })
        }),
    },
    Fault {
        name: "groups_are_empty",
        group: Group::Claims,
        story: "the mapping gives an empty list of groups to everybody",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-K04",
        seam: Seam::Database(|state, deployment| {
            groups(state, deployment, |text| with_groups(text, "\"groups\": []"))
        }),
    },
    Fault {
        name: "groups_by_hand",
        group: Group::Claims,
        story: "the mapping lists groups by hand, and everybody is in each of them",
        reference: Some("https://github.com/goauthentik/authentik/issues/11102"),
        breaks: "MINIO-1",
        diagnosis: "SSO-K06",
        seam: Seam::Database(|state, deployment| {
            let names: Vec<&str> = deployment.groups.iter().map(|group| group.as_str()).collect();
            groups(state, deployment, |text| with_groups(text, &format!("\"groups\": {names:?}")))
        }),
    },
    Fault {
        name: "groups_by_other_name",
        group: Group::Claims,
        story: "the mapping gives the groups under another name",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-O03",
        seam: Seam::Database(|state, deployment| {
            groups(state, deployment, |text| text.replace("\"groups\":", "\"roles\":"))
        }),
    },
    Fault {
        name: "claims_in_userinfo_only",
        group: Group::Claims,
        story: "the claims are left out of the id token: MinIO finds none, and Grafana's last arm hides userinfo",
        reference: Some("https://github.com/grafana/grafana/issues/106686"),
        breaks: "GRAF-1",
        diagnosis: "SSO-O03",
        seam: Seam::Database(|state, deployment| {
            providers(state, deployment, |provider| provider.include_claims_in_id_token = false)
        }),
    },
    Fault {
        name: "no_mappings",
        group: Group::Claims,
        story: "a provider made through the API has no scope mappings: tokens without claims",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-O03",
        seam: Seam::Database(without_mappings),
    },
    Fault {
        name: "email_is_verified",
        group: Group::Claims,
        story: "the email mapping says that every address is verified",
        reference: Some("https://github.com/goauthentik/authentik/pull/16206"),
        breaks: "OIDC-1",
        diagnosis: "SSO-K05",
        seam: Seam::Database(|state, _| {
            mapping(state, "email", |text| {
                text.replace("\"email_verified\": False", "\"email_verified\": True")
            })
        }),
    },
    Fault {
        name: "username_claim_is_gone",
        group: Group::Claims,
        story: "the mapping gives no preferred_username",
        reference: None,
        breaks: "HDR-1",
        diagnosis: "SSO-H04",
        seam: Seam::Database(|state, _| {
            mapping(state, "profile", |text| text.replace("\"preferred_username\":", "\"login\":"))
        }),
    },
];
