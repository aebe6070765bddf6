//! What the executor shows: the JSON of each stage (`20-login-*`, `21-login-failures`, `45-end-session-*`).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::api::extended;
use super::super::model::{Flow, Plan, PlannedStage, Stage, User};
use super::super::profile::Profile;
use super::super::state::State;
use super::avatar;

/// The challenge of the plan's current stage; none when there is no stage that shows one.
pub(super) fn of(
    state: &State,
    profile: &Profile,
    flow: &Flow,
    plan: &Plan,
    user: Option<&User>,
) -> Option<Value> {
    let body = match plan.stages.first()? {
        PlannedStage::Bound(Stage::Identification) => identification(state, profile, flow, plan),
        PlannedStage::Bound(Stage::Password) => password(state, plan),
        PlannedStage::SessionEnd if profile.session_end_needs_user && user.is_none() => {
            json!({ "component": "xak-flow-redirect", "to": "/" })
        }
        PlannedStage::SessionEnd => session_end(state, plan, user),
        PlannedStage::Consent { permissions } => consent(state, plan, user, permissions),
        PlannedStage::Autosubmit { url, fields, title } => {
            let fields: Map<_, _> = fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            return Some(json!({
                "component": "ak-stage-autosubmit", "url": url, "attrs": fields, "title": title,
            }));
        }
        PlannedStage::Fulfilment
        | PlannedStage::Bound(Stage::AuthenticatorValidate | Stage::UserLogin | Stage::UserLogout) => {
            return None;
        }
    };
    Some(framed(state, profile, flow, plan, body))
}

/// The refusal after too many wrong passwords.
pub(super) fn denied(state: &State, profile: &Profile, flow: &Flow, plan: &Plan, message: &str) -> Value {
    let body = extended(json!({ "component": "ak-stage-access-denied" }), pending(state, plan));
    framed(state, profile, flow, plan, extended(body, json!({ "error_message": message })))
}

/// What the page's script follows to leave the flow.
pub(super) fn redirect(to: &str) -> Value {
    json!({ "component": "xak-flow-redirect", "to": to })
}

/// An exception in a stage.
pub(super) fn flow_error() -> Value {
    json!({ "component": "ak-stage-flow-error", "request_id": Uuid::new_v4().simple().to_string() })
}

fn identification(state: &State, profile: &Profile, flow: &Flow, plan: &Plan) -> Value {
    let mut body = Map::new();
    let mut add = |name: &str, value: Value| body.insert(name.to_owned(), value);
    add("component", json!("ak-stage-identification"));
    add("user_fields", json!(["email", "username"]));
    if profile.prelaunch_url {
        add("pending_user_identifier", Value::Null);
    }
    add("password_fields", json!(false));
    add("allow_show_password", json!(false));
    if let Some(application) = plan.application.as_deref().and_then(|slug| state.application(slug)) {
        add("application_pre", json!(application.name));
        if profile.prelaunch_url {
            add("application_pre_launch", json!(state.launch_url(application)));
        }
    }
    add("flow_designation", json!(flow.designation));
    add("captcha_stage", Value::Null);
    add("primary_action", json!("Log in"));
    add("sources", json!([]));
    add("show_source_labels", json!(false));
    add("enable_remember_me", json!(false));
    if !profile.old_shapes {
        add("passkey_challenge", Value::Null);
    }
    Value::Object(body)
}

fn password(state: &State, plan: &Plan) -> Value {
    let body = extended(json!({ "component": "ak-stage-password" }), pending(state, plan));
    extended(body, json!({ "allow_show_password": false }))
}

fn session_end(state: &State, plan: &Plan, user: Option<&User>) -> Value {
    let mut body = json!({
        "component": "ak-stage-session-end",
        "pending_user": user.map_or("", |user| &user.username),
        "pending_user_avatar": user.map_or_else(
            || "/static/dist/assets/images/user_default.png".to_owned(),
            |user| avatar::of(&user.name),
        ),
    });
    if let Some(application) = plan.application.as_deref().and_then(|slug| state.application(slug)) {
        body["application_name"] = json!(application.name);
        body["application_launch_url"] = json!(state.launch_url(application));
    }
    body["invalidation_flow_url"] = json!("/if/flow/default-invalidation-flow/");
    body["brand_name"] = json!("authentik");
    body
}

/// What an application asks to be told (`43-oidc-authorize-variants`, hop 75).
fn consent(state: &State, plan: &Plan, user: Option<&User>, permissions: &[(String, String)]) -> Value {
    let application = plan.application.as_deref().and_then(|slug| state.application(slug));
    let name = application.map_or("", |application| &application.name);
    let permissions: Vec<_> =
        permissions.iter().map(|(scope, text)| json!({ "name": text, "id": scope })).collect();
    json!({
        "component": "ak-stage-consent",
        "pending_user": user.map_or("", |user| &user.username),
        "pending_user_avatar": user.map_or_else(String::new, |user| avatar::of(&user.name)),
        "header_text": format!("You're about to sign into {name}."),
        "permissions": permissions,
        "additional_permissions": [],
        "token": Uuid::new_v4(),
    })
}

/// The user under way: a known one by the username, an unknown one by what was typed.
fn pending(state: &State, plan: &Plan) -> Value {
    let Some(pending) = &plan.pending else { return json!({}) };
    let user = pending.user.and_then(|pk| state.users.get(&pk));
    json!({
        "pending_user": user.map_or(&pending.typed, |user| &user.username),
        "pending_user_avatar": avatar::of(user.map_or(&pending.typed, |user| &user.name)),
    })
}

/// Puts `flow_info` before a stage's members and the errors of the last answer behind its component.
fn framed(state: &State, profile: &Profile, flow: &Flow, plan: &Plan, body: Value) -> Value {
    let application = plan.application.as_deref().and_then(|slug| state.application(slug));
    let name = application.map_or("", |application| &application.name);
    let mut info = json!({
        "title": flow.title.replace("%(app)s", name),
        "background": BACKGROUND,
    });
    if !profile.old_shapes {
        info["background_themed_urls"] = Value::Null;
    }
    info["cancel_url"] = json!(cancel_url(profile, &plan.next));
    info["layout"] = json!("stacked");
    let mut framed = Map::new();
    framed.insert("flow_info".to_owned(), info);
    for (member, value) in body.as_object().into_iter().flatten() {
        framed.insert(member.clone(), value.clone());
        if member == "component" && !plan.errors.is_empty() {
            framed.insert("response_errors".to_owned(), errors(plan));
        }
    }
    Value::Object(framed)
}

/// The background of every flow.
pub(crate) const BACKGROUND: &str = "/static/dist/assets/images/flow_background.jpg";

fn errors(plan: &Plan) -> Value {
    let fields = plan.errors.iter().map(|(field, errors)| {
        let errors = errors.iter().map(|(text, code)| json!({ "string": text, "code": code })).collect();
        (field.clone(), Value::Array(errors))
    });
    Value::Object(fields.collect())
}

fn cancel_url(profile: &Profile, next: &str) -> String {
    if !next.starts_with('/') || profile.old_shapes {
        return "/flows/-/cancel/".to_owned();
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("/flows/-/cancel/?{}", query.append_pair("next", next).finish())
}
