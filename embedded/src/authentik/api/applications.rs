//! `core/applications/` (`01-config-api`): named by slug. Group, description, publisher and icon are not kept.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::View;
use super::collection::{Editable, Resource};
use super::fields::Fields;
use super::providers;
use crate::authentik::model::Application;
use crate::authentik::state::State;

pub(super) struct Applications;

impl Resource for Applications {
    type Key = Uuid;
    type Item = Application;

    const MODEL: &'static str = "Application";
    const REMOVE: Option<fn(&mut State, &Uuid)> = Some(remove);

    fn rows(state: &State) -> Vec<&Application> {
        state.applications.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<Uuid> {
        state.application(segment).map(|application| application.pk)
    }

    fn item<'s>(state: &'s State, key: &Uuid) -> Option<&'s Application> {
        state.applications.get(key)
    }

    fn show(view: View<'_>, application: &Application) -> Value {
        let provider = application.provider.and_then(|pk| view.state.providers.get(&pk));
        let mut value = json!({
            "pk": application.pk,
            "name": application.name,
            "slug": application.slug,
            "provider": application.provider,
            "provider_obj": provider.map(|provider| providers::base(view, provider)),
            "backchannel_providers": [],
            "backchannel_providers_obj": [],
            "launch_url": view.state.launch_url(application),
            "open_in_new_tab": false,
            "meta_launch_url": application.meta_launch_url,
        });
        if view.profile.old_shapes {
            value["meta_icon"] = Value::Null;
        } else {
            value["meta_icon"] = json!("");
            value["meta_icon_url"] = Value::Null;
            value["meta_icon_themed_urls"] = Value::Null;
        }
        value["meta_description"] = json!("");
        value["meta_publisher"] = json!("");
        value["policy_engine_mode"] = json!(application.policy_engine_mode);
        value["group"] = json!("");
        value
    }

    fn order(application: &Application) -> String {
        application.name.clone()
    }
}

impl Editable for Applications {
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&Application>) -> Application {
        let pk = old.map_or_else(Uuid::new_v4, |old| old.pk);
        let others = || view.state.applications.values().filter(|other| other.pk != pk);
        let slug = fields.required("slug", old.map(|old| old.slug.as_str()));
        if !slug.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)) {
            fields.complain("slug", view.profile.bad_slug);
        } else if others().any(|other| other.slug == slug) {
            fields.complain("slug", "Application with this slug already exists.");
        }
        let provider = fields
            .maybe("provider", old.and_then(|old| old.provider), |pk| view.state.providers.contains_key(&pk));
        if provider.is_some() && others().any(|other| other.provider == provider) {
            fields.complain("provider", "Application with this provider already exists.");
        }
        Application {
            pk,
            slug,
            name: fields.required("name", old.map(|old| old.name.as_str())),
            provider,
            meta_launch_url: fields.text("meta_launch_url", old.map(|old| old.meta_launch_url.as_str()), ""),
            policy_engine_mode: fields.choice(
                "policy_engine_mode",
                old.map(|old| old.policy_engine_mode.as_str()),
                &["any", "all"],
            ),
        }
    }

    fn store(state: &mut State, application: Application, _body: &Map<String, Value>) -> Uuid {
        let pk = application.pk;
        state.applications.insert(pk, application);
        pk
    }
}

fn remove(state: &mut State, pk: &Uuid) {
    state.applications.remove(pk);
    state.bindings.retain(|_, binding| binding.target != *pk);
}
