//! `core/groups/` (`01-config-api`, `23-groups-names`).

use http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::{Call, View};
use super::collection::{Action, Editable, Resource};
use super::fields::Fields;
use super::refusal::{Answer, Refusal, done};
use super::users::time;
use crate::authentik::model::Group;
use crate::authentik::state::State;

pub(super) struct Groups;

impl Resource for Groups {
    type Key = Uuid;
    type Item = Group;

    const MODEL: &'static str = "Group";
    const ACTIONS: &'static [Action] = &[
        Action {
            name: "add_user",
            of_item: true,
            method: Method::POST,
            run: |call, pk| set_member(call, pk, true),
        },
        Action {
            name: "remove_user",
            of_item: true,
            method: Method::POST,
            run: |call, pk| set_member(call, pk, false),
        },
    ];
    const REMOVE: Option<fn(&mut State, &Self::Key)> = Some(remove);

    fn rows(state: &State) -> Vec<&Group> {
        state.groups.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<Uuid> {
        segment.parse().ok().filter(|pk| state.groups.contains_key(pk))
    }

    fn item<'s>(state: &'s State, key: &Uuid) -> Option<&'s Group> {
        state.groups.get(key)
    }

    fn show(view: View<'_>, group: &Group) -> Value {
        let members = || view.state.users.values().filter(|user| user.groups.contains(&group.pk));
        let children: Vec<_> =
            view.state.groups.values().filter(|child| child.parents.contains(&group.pk)).collect();
        let members_obj: Vec<_> = members()
            .map(|user| {
                json!({
                    "pk": user.pk, "username": user.username, "name": user.name,
                    "is_active": user.is_active, "last_login": user.last_login.map(time),
                    "email": user.email, "attributes": user.attributes, "uid": user.uid,
                })
            })
            .collect();
        let mut value = json!({
            "pk": group.pk,
            "num_pk": group.num_pk,
            "name": group.name,
            "is_superuser": group.is_superuser,
        });
        parents(view, group, &mut value);
        value["users"] = members().map(|user| user.pk).collect();
        value["users_obj"] = Value::Array(members_obj);
        value["attributes"] = Value::Object(group.attributes.clone());
        value["roles"] = json!([]);
        value["roles_obj"] = json!([]);
        if view.profile.group_parents {
            value["inherited_roles_obj"] = Value::Null;
        }
        value["children"] = children.iter().map(|child| json!(child.pk)).collect();
        value["children_obj"] = Value::Null;
        value
    }

    fn order(group: &Group) -> String {
        group.name.clone()
    }
}

impl Editable for Groups {
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&Group>) -> Group {
        let known = |pk| view.state.groups.contains_key(&pk);
        let name = fields.required("name", old.map(|old| old.name.as_str()));
        let pk = old.map_or_else(Uuid::new_v4, |old| old.pk);
        if view.state.groups.values().any(|group| group.name == name && group.pk != pk) {
            fields.complain("name", view.profile.group_taken);
        }
        let old_parents = old.map(|old| old.parents.as_slice());
        let parents = if view.profile.group_parents {
            fields.many("parents", old_parents, known)
        } else {
            let parent = old_parents.and_then(|parents| parents.first().copied());
            fields.maybe("parent", parent, known).into_iter().collect()
        };
        fields.many("users", None, |pk: u64| view.state.users.contains_key(&pk));
        Group {
            pk,
            num_pk: old.map_or_else(|| rand::random_range(10_000..100_000), |old| old.num_pk),
            name,
            is_superuser: fields.flag("is_superuser", old.map(|old| old.is_superuser), false),
            parents,
            attributes: fields.object("attributes", old.map(|old| &old.attributes), Map::new),
        }
    }

    /// A body that names `users` makes them the members.
    fn store(state: &mut State, group: Group, body: &Map<String, Value>) -> Uuid {
        let pk = group.pk;
        state.groups.insert(pk, group);
        if let Some(members) = body.get("users").and_then(Value::as_array) {
            let members: Vec<_> = members.iter().filter_map(Value::as_u64).collect();
            for user in state.users.values_mut() {
                user.groups.retain(|group| *group != pk);
                if members.contains(&user.pk) {
                    user.groups.push(pk);
                }
            }
        }
        pk
    }
}

fn remove(state: &mut State, pk: &Uuid) {
    state.groups.remove(pk);
    for group in state.groups.values_mut() {
        group.parents.retain(|parent| parent != pk);
    }
    for user in state.users.values_mut() {
        user.groups.retain(|group| group != pk);
    }
    state.bindings.retain(|_, binding| binding.group != Some(*pk));
}

/// A group as part of another object.
pub(super) fn brief(view: View<'_>, group: &Group) -> Value {
    let mut value = json!({
        "pk": group.pk,
        "num_pk": group.num_pk,
        "name": group.name,
        "is_superuser": group.is_superuser,
    });
    if !view.profile.group_parents {
        parents(view, group, &mut value);
    }
    value["attributes"] = Value::Object(group.attributes.clone());
    value
}

/// A group as a binding shows it: whole in 2025.8.
pub(super) fn of_binding(view: View<'_>, group: &Group) -> Value {
    if view.profile.group_parents { brief(view, group) } else { Groups::show(view, group) }
}

/// What a group is a child of, as the version shows it.
fn parents(view: View<'_>, group: &Group, value: &mut Value) {
    if view.profile.group_parents {
        value["parents"] = json!(group.parents);
        value["parents_obj"] = Value::Null;
        return;
    }
    let parent = group.parents.first();
    value["parent"] = json!(parent);
    value["parent_name"] = json!(parent.and_then(|pk| view.state.groups.get(pk)).map(|parent| &parent.name));
}

/// `<pk>/add_user/` and `<pk>/remove_user/`.
fn set_member(call: &Call<'_>, segment: &str, member: bool) -> Answer {
    call.superuser()?;
    let body = call.object()?;
    let mut state = call.shared.state_mut();
    let group = Groups::find(&state, segment).ok_or(Refusal::Missing(Groups::MODEL))?;
    let mut fields = Fields::new(&body, false);
    let user = fields.integer("pk", None, None);
    fields.finish()?;
    let user = u64::try_from(user).ok().and_then(|pk| state.users.get_mut(&pk));
    let user = user.ok_or(Refusal::Missing("User"))?;
    user.groups.retain(|found| *found != group);
    if member {
        user.groups.push(group);
    }
    done()
}
