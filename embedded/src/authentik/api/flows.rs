//! `flows/instances/` (`01-config-api`), to read: provisioning takes the default flows as they are.

use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{View, extended};
use super::collection::Resource;
use crate::authentik::flows::BACKGROUND;
use crate::authentik::model::Flow;
use crate::authentik::state::State;

pub(super) struct Flows;

impl Resource for Flows {
    type Key = Uuid;
    type Item = Flow;

    const MODEL: &'static str = "Flow";

    fn rows(state: &State) -> Vec<&Flow> {
        state.flows.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<Uuid> {
        state.flow(segment).map(|flow| flow.pk)
    }

    fn item<'s>(state: &'s State, key: &Uuid) -> Option<&'s Flow> {
        state.flows.get(key)
    }

    /// Stages have no keys of their own here: those shown are made of the flow's.
    fn show(view: View<'_>, flow: &Flow) -> Value {
        let part = |number: usize| Uuid::from_u128(flow.pk.as_u128() ^ (number as u128 + 1));
        let mut value = json!({
            "pk": flow.pk,
            "policybindingmodel_ptr_id": part(0),
            "name": flow.name,
            "slug": flow.slug,
            "title": flow.title,
            "designation": flow.designation,
            "background": "",
        });
        if view.profile.old_shapes {
            value["background"] = json!(BACKGROUND);
        } else {
            value["background_url"] = json!(BACKGROUND);
            value["background_themed_urls"] = Value::Null;
        }
        let rest = json!({
            "stages": (1..=flow.stages.len()).map(part).collect::<Vec<_>>(),
            "policies": [],
            "cache_count": 0,
            "policy_engine_mode": "any",
            "compatibility_mode": false,
            "export_url": format!("/api/v3/flows/instances/{}/export/", flow.slug),
            "layout": "stacked",
            "denied_action": "message_continue",
            "authentication": flow.authentication,
        });
        extended(value, rest)
    }

    fn order(flow: &Flow) -> String {
        flow.slug.clone()
    }
}
