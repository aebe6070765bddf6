//! The claims that scope mappings give a user.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::model::{Provider, ScopeMapping, User};
use super::super::shared::Shared;
use super::super::state::State;
use super::expression::evaluate;

/// The provider's mappings of `scopes`, by scope name.
pub(super) fn mappings<'s>(
    state: &'s State,
    provider: &Provider,
    scopes: &[String],
) -> Vec<&'s ScopeMapping> {
    let mut mappings: Vec<&ScopeMapping> = provider
        .property_mappings
        .iter()
        .filter_map(|pk| state.mappings.get(pk))
        .filter(|mapping| scopes.contains(&mapping.scope_name))
        .collect();
    mappings.sort_by(|one, other| one.scope_name.cmp(&other.scope_name));
    mappings
}

/// What the mappings of `scopes` say of `user`. Lists that two mappings give are joined, so an extra `groups`
/// mapping doubles the entries (`41-oidc-code-flow-groupscope`). A mapping that fails is logged and left out.
pub(crate) fn of(
    shared: &Shared,
    state: &State,
    provider: &Provider,
    user: &User,
    scopes: &[String],
) -> Map<String, Value> {
    let mut claims = Map::new();
    let variables = variables(state, provider, user);
    for mapping in mappings(state, provider, scopes) {
        match evaluate(&mapping.expression, variables.clone()) {
            Ok(Value::Object(more)) => merge(&mut claims, more),
            Ok(_) => {}
            Err(error) => {
                let line = format!(
                    "scope mapping `{}` of provider `{}` failed: {error}",
                    mapping.name, provider.name
                );
                shared.logs.write("authentik", line);
            }
        }
    }
    claims
}

fn variables(state: &State, provider: &Provider, user: &User) -> HashMap<String, Value> {
    let named = |name: String| json!({ "name": name });
    let direct: Vec<Value> = state.group_names(user).into_iter().map(named).collect();
    let all: Vec<Value> = state
        .groups
        .values()
        .filter(|group| state.is_member(user, group.pk))
        .map(|group| named(group.name.clone()))
        .collect();
    let mut attributes = Map::new();
    for group in user.groups.iter().filter_map(|pk| state.groups.get(pk)) {
        attributes.extend(group.attributes.clone());
    }
    attributes.extend(user.attributes.clone());
    let shown = json!({
        "username": user.username, "name": user.name, "email": user.email, "uid": user.uid, "pk": user.pk,
        "is_superuser": state.is_superuser(user), "attributes": user.attributes, "groups": direct,
        "ak_groups": direct, "all_groups": all, "group_attributes": attributes, "entitlements": [],
    });
    let application = state.application_of(provider.pk);
    let application = application.map(|found| json!({ "name": found.name, "slug": found.slug }));
    HashMap::from([
        ("user".to_owned(), shown.clone()),
        ("request".to_owned(), json!({ "user": shown })),
        ("provider".to_owned(), json!({ "name": provider.name, "application": application })),
    ])
}

fn merge(into: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, value) in more {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(there)), Value::Object(value)) => merge(there, value),
            (Some(Value::Array(there)), Value::Array(value)) => there.extend(value),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}
