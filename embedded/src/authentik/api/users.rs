//! `core/users/` (`01-config-api`, `23-groups-names`, `51-user-deactivated`, `52-password-reset`, `55-user-deleted`).

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::{Call, View, extended};
use super::collection::{Action, Editable, Resource};
use super::fields::Fields;
use super::groups;
use super::refusal::{Answer, Refusal, done, shown};
use crate::authentik::bootstrap;
use crate::authentik::flows::avatar;
use crate::authentik::model::{PasswordHash, User};
use crate::authentik::state::State;

/// What a superuser may do besides, as `me/` lists it.
const SYSTEM_PERMISSIONS: [&str; 16] = [
    "access_admin_interface",
    "add_initialpermissions",
    "add_role",
    "assign_role_permissions",
    "change_initialpermissions",
    "change_role",
    "delete_initialpermissions",
    "delete_role",
    "edit_system_settings",
    "manage_media_files",
    "unassign_role_permissions",
    "view_initialpermissions",
    "view_media_files",
    "view_role",
    "view_system_info",
    "view_system_settings",
];

pub(super) struct Users;

impl Resource for Users {
    type Key = u64;
    type Item = User;

    const MODEL: &'static str = "User";
    const ACTIONS: &'static [Action] = &[
        Action { name: "me", of_item: false, method: Method::GET, run: me },
        Action { name: "set_password", of_item: true, method: Method::POST, run: set_password },
    ];
    const REMOVE: Option<fn(&mut State, &Self::Key)> = Some(remove);

    fn rows(state: &State) -> Vec<&User> {
        state.users.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<u64> {
        segment.parse().ok().filter(|pk| state.users.contains_key(pk))
    }

    fn item<'s>(state: &'s State, key: &u64) -> Option<&'s User> {
        state.users.get(key)
    }

    fn show(view: View<'_>, user: &User) -> Value {
        show(view, user)
    }

    fn order(user: &User) -> String {
        user.username.clone()
    }
}

impl Editable for Users {
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&User>) -> User {
        let username = fields.required("username", old.map(|old| old.username.as_str()));
        let pk = old.map(|old| old.pk);
        if view.state.users.values().any(|user| user.username == username && Some(user.pk) != pk) {
            fields.complain("username", "This field must be unique.");
        }
        let name = fields.required("name", old.map(|old| old.name.as_str()));
        let user = old.cloned().unwrap_or_else(|| bootstrap::user(0, &username, &name));
        User {
            email: fields.text("email", Some(&user.email), ""),
            is_active: fields.flag("is_active", Some(user.is_active), true),
            kind: fields.choice("type", Some(&user.kind), &["internal", "external", "service_account"]),
            path: fields.text("path", Some(&user.path), "users"),
            groups: fields.many("groups", Some(&user.groups), |pk| view.state.groups.contains_key(&pk)),
            attributes: fields.object("attributes", Some(&user.attributes), Map::new),
            username,
            name,
            ..user
        }
    }

    /// A user who is no longer active loses every session. The real outpost lets the old proxy session in for up
    /// to a minute more (`51-user-deactivated`); here it ends with the core's.
    fn store(state: &mut State, mut user: User, _body: &Map<String, Value>) -> u64 {
        if user.pk == 0 {
            state.last_user += 1;
            user = renumbered(user, state.last_user);
        }
        let (pk, active) = (user.pk, user.is_active);
        state.users.insert(pk, user);
        if !active {
            state.end_sessions_of(pk);
        }
        pk
    }
}

fn remove(state: &mut State, pk: &u64) {
    state.end_sessions_of(*pk);
    state.users.remove(pk);
    state.tokens.retain(|_, token| token.user != *pk);
    state.bindings.retain(|_, binding| binding.user != Some(*pk));
}

/// The user under a number of its own, which its hashed id is made of.
fn renumbered(user: User, pk: u64) -> User {
    let fresh = bootstrap::user(pk, &user.username, &user.name);
    User { pk, uuid: fresh.uuid, uid: fresh.uid, ..user }
}

/// A user in full.
pub(super) fn show(view: View<'_>, user: &User) -> Value {
    let groups: Vec<_> = user
        .groups
        .iter()
        .filter_map(|pk| view.state.groups.get(pk))
        .map(|group| groups::brief(view, group))
        .collect();
    let mut value = json!({
        "pk": user.pk,
        "username": user.username,
        "name": user.name,
        "is_active": user.is_active,
        "last_login": user.last_login.map(time),
        "date_joined": time(user.date_joined),
        "is_superuser": view.state.is_superuser(user),
        "groups": user.groups,
        "groups_obj": groups,
    });
    if !view.profile.old_shapes {
        value["roles"] = json!([]);
        value["roles_obj"] = json!([]);
    }
    let rest = json!({
        "email": user.email,
        "avatar": avatar::of(&user.name),
        "attributes": user.attributes,
        "uid": user.uid,
        "path": user.path,
        "type": user.kind,
        "uuid": user.uuid,
        "password_change_date": time(user.password_changed),
        "last_updated": time(user.last_login.unwrap_or(user.date_joined)),
    });
    extended(value, rest)
}

/// A time as the API writes it: microseconds, UTC.
pub(super) fn time(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// `me/`: the caller, whoever it is.
fn me(call: &Call<'_>, _: &str) -> Answer {
    let pk = call.user()?;
    let state = call.shared.state();
    let user = state.users.get(&pk).ok_or(Refusal::Missing(Users::MODEL))?;
    let groups: Vec<_> = user
        .groups
        .iter()
        .filter_map(|pk| state.groups.get(pk))
        .map(|group| json!({ "name": group.name, "pk": group.pk }))
        .collect();
    let superuser = state.is_superuser(user);
    let mut value = json!({
        "pk": user.pk,
        "username": user.username,
        "name": user.name,
        "is_active": user.is_active,
        "is_superuser": superuser,
        "groups": groups,
    });
    if !call.shared.profile.old_shapes {
        value["roles"] = json!([]);
    }
    let known =
        |name: &&&str| superuser && (!name.ends_with("_media_files") || !call.shared.profile.old_shapes);
    let permissions: Vec<_> = SYSTEM_PERMISSIONS.iter().filter(known).collect();
    let rest = json!({
        "email": user.email,
        "avatar": avatar::of(&user.name),
        "uid": user.uid,
        "settings": {},
        "type": user.kind,
        "system_permissions": permissions,
    });
    shown(json!({ "user": extended(value, rest) }))
}

/// `<pk>/set_password/`: sessions stay (`52-password-reset`).
fn set_password(call: &Call<'_>, segment: &str) -> Answer {
    call.superuser()?;
    let body = call.object()?;
    let mut fields = Fields::new(&body, false);
    let password = fields.required("password", None);
    fields.finish()?;
    let mut state = call.shared.state_mut();
    let pk = Users::find(&state, segment).ok_or(Refusal::Missing(Users::MODEL))?;
    if let Some(user) = state.users.get_mut(&pk) {
        user.password = Some(PasswordHash::of(&password));
        user.password_changed = Timestamp::now();
    }
    done()
}
