//! `providers/all/`: providers of every kind, to read and delete.

use serde_json::Value;

use super::super::call::View;
use super::super::collection::{READ, Resource};
use super::common;
use crate::authentik::model::Provider;
use crate::authentik::state::State;

pub(in crate::authentik::api) struct AllProviders;

impl Resource for AllProviders {
    type Key = u64;
    type Item = Provider;

    const MODEL: &'static str = "Provider";
    const METHODS: &'static str = READ;
    const REMOVE: Option<fn(&mut State, &u64)> = Some(common::remove);

    fn rows(state: &State) -> Vec<&Provider> {
        state.providers.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<u64> {
        segment.parse().ok().filter(|pk| state.providers.contains_key(pk))
    }

    fn item<'s>(state: &'s State, key: &u64) -> Option<&'s Provider> {
        state.providers.get(key)
    }

    fn show(view: View<'_>, provider: &Provider) -> Value {
        common::base(view, provider)
    }

    fn order(provider: &Provider) -> String {
        format!("{:020}", provider.pk)
    }
}
