//! `policies/bindings/` (`01-config-api`, `02-config-errors`): of groups and users to applications.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::View;
use super::collection::{Editable, Resource};
use super::fields::Fields;
use super::{groups, users};
use crate::authentik::model::Binding;
use crate::authentik::state::State;

pub(super) struct Bindings;

impl Resource for Bindings {
    type Key = Uuid;
    type Item = Binding;

    const MODEL: &'static str = "PolicyBinding";
    const REMOVE: Option<fn(&mut State, &Uuid)> = Some(|state, pk| {
        state.bindings.remove(pk);
    });

    fn rows(state: &State) -> Vec<&Binding> {
        state.bindings.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<Uuid> {
        segment.parse().ok().filter(|pk| state.bindings.contains_key(pk))
    }

    fn item<'s>(state: &'s State, key: &Uuid) -> Option<&'s Binding> {
        state.bindings.get(key)
    }

    fn show(view: View<'_>, binding: &Binding) -> Value {
        let group = binding.group.and_then(|pk| view.state.groups.get(&pk));
        let user = binding.user.and_then(|pk| view.state.users.get(&pk));
        json!({
            "pk": binding.pk,
            "policy": null,
            "group": binding.group,
            "user": binding.user,
            "policy_obj": null,
            "group_obj": group.map(|group| groups::of_binding(view, group)),
            "user_obj": user.map(|user| users::show(view, user)),
            "target": binding.target,
            "negate": binding.negate,
            "enabled": binding.enabled,
            "order": binding.order,
            "timeout": binding.timeout,
            "failure_result": false,
        })
    }

    fn order(binding: &Binding) -> String {
        format!("{:020}{}", binding.order, binding.pk)
    }
}

impl Editable for Bindings {
    /// Two bindings of one order are taken (`02-config-errors`, hop 43).
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&Binding>) -> Binding {
        let target =
            fields.one("target", old.map(|old| old.target), |pk| view.state.applications.contains_key(&pk));
        let group =
            fields.maybe("group", old.and_then(|old| old.group), |pk| view.state.groups.contains_key(&pk));
        let user =
            fields.maybe("user", old.and_then(|old| old.user), |pk| view.state.users.contains_key(&pk));
        let binding = Binding {
            pk: old.map_or_else(Uuid::new_v4, |old| old.pk),
            target: target.unwrap_or_default(),
            group,
            user,
            order: fields.integer("order", old.map(|old| old.order), None),
            enabled: fields.flag("enabled", old.map(|old| old.enabled), true),
            negate: fields.flag("negate", old.map(|old| old.negate), false),
            timeout: fields.integer("timeout", old.map(|old| old.timeout), Some(30)),
        };
        if fields.fine() {
            match (group, user) {
                (None, None) => {
                    fields.complain("non_field_errors", "One of 'group', 'policy', 'user' must be set.");
                }
                (Some(_), Some(_)) => {
                    fields.complain("non_field_errors", "Only one of 'group', 'policy', 'user' can be set.");
                }
                _ => {}
            }
        }
        binding
    }

    fn store(state: &mut State, binding: Binding, _body: &Map<String, Value>) -> Uuid {
        let pk = binding.pk;
        state.bindings.insert(pk, binding);
        pk
    }
}
