//! `outposts/instances/` (`01-config-api`, `03-outpost-before-after-providers`).

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::{Call, View};
use super::collection::{Action, Editable, Resource};
use super::fields::Fields;
use super::providers;
use super::refusal::{Answer, Refusal, shown};
use super::users::time;
use crate::authentik::bootstrap;
use crate::authentik::model::Outpost;
use crate::authentik::state::State;

pub(super) struct Outposts;

impl Resource for Outposts {
    type Key = Uuid;
    type Item = Outpost;

    const MODEL: &'static str = "Outpost";
    const ACTIONS: &'static [Action] =
        &[Action { name: "health", of_item: true, method: Method::GET, run: health }];
    const REMOVE: Option<fn(&mut State, &Uuid)> = Some(|state, pk| {
        state.outposts.remove(pk);
    });

    fn rows(state: &State) -> Vec<&Outpost> {
        state.outposts.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<Uuid> {
        segment.parse().ok().filter(|pk| state.outposts.contains_key(pk))
    }

    fn item<'s>(state: &'s State, key: &Uuid) -> Option<&'s Outpost> {
        state.outposts.get(key)
    }

    fn show(view: View<'_>, outpost: &Outpost) -> Value {
        let providers = outpost.providers.iter().filter_map(|pk| view.state.providers.get(pk));
        json!({
            "pk": outpost.pk,
            "name": outpost.name,
            "type": "proxy",
            "providers": outpost.providers,
            "providers_obj": providers.map(|found| providers::plain(view, found)).collect::<Vec<_>>(),
            "service_connection": null,
            "service_connection_obj": null,
            "refresh_interval_s": 300,
            "token_identifier": format!("ak-outpost-{}-api", outpost.pk),
            "config": outpost.config,
            "managed": outpost.managed,
        })
    }

    fn order(outpost: &Outpost) -> String {
        outpost.name.clone()
    }
}

impl Editable for Outposts {
    /// An OAuth2 provider is taken, and so is any configuration (`02-config-errors`, hops 46 to 48).
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&Outpost>) -> Outpost {
        let pk = old.map_or_else(Uuid::new_v4, |old| old.pk);
        let name = fields.required("name", old.map(|old| old.name.as_str()));
        if view.state.outposts.values().any(|other| other.name == name && other.pk != pk) {
            fields.complain("name", "Outpost with this name already exists.");
        }
        fields.choice("type", None, &["proxy"]);
        let providers = old.map(|old| old.providers.as_slice());
        Outpost {
            pk,
            name,
            managed: old.and_then(|old| old.managed.clone()),
            providers: fields.many("providers", providers, |pk| view.state.providers.contains_key(&pk)),
            config: fields.object("config", old.map(|old| &old.config), bootstrap::outpost_config),
        }
    }

    fn store(state: &mut State, outpost: Outpost, _body: &Map<String, Value>) -> Uuid {
        let pk = outpost.pk;
        state.outposts.insert(pk, outpost);
        pk
    }
}

/// `<pk>/health/`: the embedded outpost is up whenever the API answers.
fn health(call: &Call<'_>, segment: &str) -> Answer {
    call.superuser()?;
    let state = call.shared.state();
    let pk = Outposts::find(&state, segment).ok_or(Refusal::Missing(Outposts::MODEL))?;
    let version = call.shared.profile.version;
    shown(json!([{
        "uid": pk,
        "last_seen": time(Timestamp::now()),
        "version": version,
        "golang_version": "",
        "openssl_enabled": false,
        "openssl_version": "",
        "fips_enabled": null,
        "version_should": version,
        "version_outdated": false,
        "build_hash": "",
        "build_hash_should": "",
        "hostname": "embedded",
    }]))
}
