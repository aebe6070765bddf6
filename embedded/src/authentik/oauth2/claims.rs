//! The claims of scopes: the provider's mappings, evaluated for a user (`41-oidc-code-flow-*`).

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::expression::evaluate;
use crate::authentik::model::{Group, Provider, ScopeMapping, User};
use crate::authentik::shared::Shared;
use crate::authentik::state::State;

/// The claims that `provider`'s mappings give for `scopes`. Lists of two mappings are joined, so that a second
/// mapping of groups doubles them (`41-oidc-code-flow-groupscope`).
pub(super) fn of_scopes(
    shared: &Shared,
    provider: &Provider,
    user: &User,
    scopes: &[String],
) -> Map<String, Value> {
    let mut claims = Map::new();
    for given in of_mappings(shared, provider, user, |mapping| scopes.contains(&mapping.scope_name)) {
        merge(&mut claims, given);
    }
    claims
}

/// What each of `provider`'s mappings that `wanted` takes gives, in the order of scope names. A mapping that fails
/// is logged and gives nothing.
pub(super) fn of_mappings(
    shared: &Shared,
    provider: &Provider,
    user: &User,
    wanted: impl Fn(&ScopeMapping) -> bool,
) -> Vec<Map<String, Value>> {
    let (mut asked, variables) = {
        let state = shared.state();
        let asked: Vec<_> = mappings(&state, provider).filter(|mapping| wanted(mapping)).cloned().collect();
        (asked, variables(&state, provider, user))
    };
    asked.sort_by(|one, other| one.scope_name.cmp(&other.scope_name));
    let mut given = Vec::new();
    for mapping in asked {
        match evaluate(&mapping.expression, variables.clone()) {
            Ok(Value::Object(claims)) => given.push(claims),
            Ok(Value::Null) => {}
            Ok(_) => log(shared, &mapping, "it returned no dictionary"),
            Err(error) => log(shared, &mapping, &error.to_string()),
        }
    }
    given
}

/// The mappings of `provider`, in its order.
pub(super) fn mappings<'s>(
    state: &'s State,
    provider: &'s Provider,
) -> impl Iterator<Item = &'s ScopeMapping> {
    provider.property_mappings.iter().filter_map(|pk| state.mappings.get(pk))
}

/// The user as `sub` names them.
pub(super) fn subject(provider: &Provider, user: &User) -> String {
    match provider.sub_mode.as_str() {
        "user_id" => user.pk.to_string(),
        "user_uuid" => user.uuid.to_string(),
        "user_username" => user.username.clone(),
        "user_email" => user.email.clone(),
        "user_upn" => {
            user.attributes.get("upn").and_then(Value::as_str).map_or_else(|| user.uid.clone(), str::to_owned)
        }
        _ => user.uid.clone(),
    }
}

fn log(shared: &Shared, mapping: &ScopeMapping, what: &str) {
    shared.logs.write(
        "authentik",
        format!("event=property_mapping_exception mapping={:?} error={what:?}", mapping.name),
    );
}

/// Adds `more`: objects are merged, lists joined, anything else takes the place of what was there.
fn merge(into: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) => old.extend(new),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

/// What an expression can name: `request.user` and `provider`.
fn variables(state: &State, provider: &Provider, user: &User) -> HashMap<String, Value> {
    let all_groups = with_parents(state, user);
    let mut inherited = Map::new();
    for group in &all_groups {
        merge(&mut inherited, group.attributes.clone());
    }
    merge(&mut inherited, user.attributes.clone());
    let groups: Vec<_> = user.groups.iter().filter_map(|pk| state.groups.get(pk)).map(group).collect();
    let user = json!({
        "pk": user.pk,
        "uuid": user.uuid,
        "uid": user.uid,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "is_active": user.is_active,
        "is_superuser": state.is_superuser(user),
        "attributes": user.attributes,
        "groups": groups,
        "ak_groups": groups,
        "all_groups": all_groups.into_iter().map(group).collect::<Vec<_>>(),
        "group_attributes": inherited,
    });
    let application =
        state.application_of(provider.pk).map(|found| json!({ "name": found.name, "slug": found.slug }));
    let provider = json!({ "name": provider.name, "application": application });
    HashMap::from([
        ("request".to_owned(), json!({ "user": user })),
        ("user".to_owned(), user),
        ("provider".to_owned(), provider),
    ])
}

fn group(group: &Group) -> Value {
    json!({
        "pk": group.pk, "name": group.name, "is_superuser": group.is_superuser, "attributes": group.attributes,
    })
}

/// The groups of `user` and those above them, by name.
fn with_parents<'s>(state: &'s State, user: &User) -> Vec<&'s Group> {
    let mut seen: Vec<Uuid> = Vec::new();
    let mut open = user.groups.clone();
    while let Some(pk) = open.pop() {
        if !seen.contains(&pk) {
            seen.push(pk);
            open.extend(state.groups.get(&pk).map(|group| group.parents.clone()).unwrap_or_default());
        }
    }
    let mut groups: Vec<_> = seen.iter().filter_map(|pk| state.groups.get(pk)).collect();
    groups.sort_by(|one, other| one.name.cmp(&other.name));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_two_mappings_are_joined_and_other_values_replaced() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let mut claims = object(json!({ "groups": ["a"], "name": "x", "ak": { "b": 1 } }));
        merge(&mut claims, object(json!({ "groups": ["a"], "name": "y", "ak": { "c": 2 } })));
        assert_eq!(
            Value::Object(claims),
            json!({ "groups": ["a", "a"], "name": "y", "ak": { "b": 1, "c": 2 } })
        );
    }
}
