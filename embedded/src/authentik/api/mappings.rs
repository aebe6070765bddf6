//! `propertymappings/provider/scope/` (`01-config-api`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::View;
use super::collection::{Editable, Resource};
use super::fields::Fields;
use crate::authentik::model::ScopeMapping;
use crate::authentik::state::State;

pub(super) struct ScopeMappings;

impl Resource for ScopeMappings {
    type Key = Uuid;
    type Item = ScopeMapping;

    const MODEL: &'static str = "ScopeMapping";
    const REMOVE: Option<fn(&mut State, &Uuid)> = Some(remove);

    fn rows(state: &State) -> Vec<&ScopeMapping> {
        state.mappings.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<Uuid> {
        segment.parse().ok().filter(|pk| state.mappings.contains_key(pk))
    }

    fn item<'s>(state: &'s State, key: &Uuid) -> Option<&'s ScopeMapping> {
        state.mappings.get(key)
    }

    fn show(_view: View<'_>, mapping: &ScopeMapping) -> Value {
        json!({
            "pk": mapping.pk,
            "managed": mapping.managed,
            "name": mapping.name,
            "expression": mapping.expression,
            "component": "ak-property-mapping-provider-scope-form",
            "verbose_name": "Scope Mapping",
            "verbose_name_plural": "Scope Mappings",
            "meta_model_name": "authentik_providers_oauth2.scopemapping",
            "scope_name": mapping.scope_name,
            "description": mapping.description,
        })
    }

    fn order(mapping: &ScopeMapping) -> String {
        mapping.scope_name.clone()
    }
}

impl Editable for ScopeMappings {
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&ScopeMapping>) -> ScopeMapping {
        let pk = old.map_or_else(Uuid::new_v4, |old| old.pk);
        let name = fields.required("name", old.map(|old| old.name.as_str()));
        if view.state.mappings.values().any(|other| other.name == name && other.pk != pk) {
            fields.complain("name", "Scope Mapping with this name already exists.");
        }
        ScopeMapping {
            pk,
            managed: old.and_then(|old| old.managed.clone()),
            name,
            scope_name: fields.required("scope_name", old.map(|old| old.scope_name.as_str())),
            description: fields.text("description", old.map(|old| old.description.as_str()), ""),
            expression: fields.required("expression", old.map(|old| old.expression.as_str())),
        }
    }

    fn store(state: &mut State, mapping: ScopeMapping, _body: &Map<String, Value>) -> Uuid {
        let pk = mapping.pk;
        state.mappings.insert(pk, mapping);
        pk
    }
}

fn remove(state: &mut State, pk: &Uuid) {
    state.mappings.remove(pk);
    for provider in state.providers.values_mut() {
        provider.property_mappings.retain(|mapping| mapping != pk);
    }
}
