//! The parts of the HTTP API that show who is signed in and with which role.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::call::{Call, Reply};
use super::role::Role;
use super::settings::Settings;
use super::shared::{Current, Shared};
use super::users::User;

/// What `/api/health` calls this Grafana: the version whose source it follows.
const VERSION: &str = "12.3.0";

/// Answers a path that begins with `/api`.
pub(super) fn handle(shared: &Shared, current: &Current, call: &Call) -> Reply {
    let path = call.path.trim_end_matches('/');
    if path == "/api/health" {
        return ok(&json!({ "database": "ok", "version": VERSION, "commit": "embedded" }));
    }
    let Some(user) = shared.signed_in(&call.headers) else { return unauthorized() };
    if call.method != Method::GET && call.method != Method::HEAD {
        return not_found();
    }
    match path {
        "/api/user" => ok(&profile(&current.settings, &user)),
        "/api/user/orgs" => ok(&json!([{ "orgId": 1, "name": "Main Org.", "role": user.role.name() }])),
        "/api/org" => ok(&json!({
            "id": 1,
            "name": "Main Org.",
            "address": {
                "address1": "", "address2": "", "city": "", "zipCode": "", "state": "", "country": "",
            },
        })),
        "/api/org/users" if user.role < Role::Admin && !user.grafana_admin => forbidden("org.users:read"),
        "/api/org/users" => {
            let state = shared.state();
            ok(&state.users.all().iter().map(member).collect())
        }
        "/api/login/ping" => ok(&json!({ "message": "Logged in" })),
        _ => not_found(),
    }
}

/// Refuses the form of the login page: nobody has a password here.
pub(super) fn password_refused() -> Reply {
    let body = json!({
        "message": "Invalid username or password",
        "messageId": "password-auth.failed",
        "statusCode": 401,
        "traceID": "",
    });
    Reply::json(StatusCode::UNAUTHORIZED, &body)
}

pub(super) fn not_found() -> Reply {
    Reply::json(StatusCode::NOT_FOUND, &json!({ "message": "Not found", "traceID": "" }))
}

fn ok(body: &Value) -> Reply {
    Reply::json(StatusCode::OK, body)
}

fn unauthorized() -> Reply {
    let body = json!({
        "extra": null,
        "message": "Unauthorized",
        "messageId": "auth.unauthorized",
        "statusCode": 401,
        "traceID": "",
    });
    Reply::json(StatusCode::UNAUTHORIZED, &body)
}

fn forbidden(permission: &str) -> Reply {
    let message = format!(
        "You'll need additional permissions to perform this action. Permissions needed: {permission}"
    );
    let body = json!({ "accessErrorId": "ACE0000000000", "message": message, "title": "Access denied" });
    Reply::json(StatusCode::FORBIDDEN, &body)
}

fn profile(settings: &Settings, user: &User) -> Value {
    let synced = !settings.role.skip_org_role_sync;
    json!({
        "id": user.id,
        "uid": format!("embedded-{}", user.id),
        "email": user.email,
        "name": user.name,
        "login": user.login,
        "theme": "",
        "orgId": 1,
        "isGrafanaAdmin": user.grafana_admin,
        "isDisabled": false,
        "isExternal": user.sub.is_some(),
        "isExternallySynced": synced,
        "isGrafanaAdminExternallySynced": synced && settings.role.allow_assign_grafana_admin,
        "authLabels": ["Generic OAuth"],
        "updatedAt": user.updated.to_string(),
        "createdAt": user.created.to_string(),
    })
}

fn member(user: &User) -> Value {
    json!({
        "orgId": 1,
        "userId": user.id,
        "uid": format!("embedded-{}", user.id),
        "email": user.email,
        "name": user.name,
        "login": user.login,
        "role": user.role.name(),
        "isDisabled": false,
        "isExternallySynced": user.sub.is_some(),
    })
}
