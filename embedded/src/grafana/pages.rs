//! The two pages there are: the login page and Grafana itself.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::json;

use super::users::User;

fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) }
            }
            body { (body) }
        }
    }
}

/// The login page, with a link to `href` for the provider called `name`.
pub(super) fn login(name: &str, href: &str, error: Option<&str>) -> Markup {
    page(
        "Grafana",
        &html! {
            h1 { "Welcome to Grafana" }
            @if let Some(error) = error {
                div role="alert" data-testid="data-testid Alert error" {
                    strong { "Login failed" }
                    p id="login-error" { (error) }
                }
            }
            a id="login-generic-oauth" href=(href) { "Sign in with " (name) }
        },
    )
}

/// Any page of a signed-in user; as in the real one, the page's boot data says who that is.
pub(super) fn home(user: &User, logout: &str) -> Markup {
    let boot = json!({
        "user": {
            "isSignedIn": true,
            "id": user.id,
            "login": user.login,
            "email": user.email,
            "name": user.name,
            "orgId": 1,
            "orgName": "Main Org.",
            "orgRole": user.role.name(),
            "isGrafanaAdmin": user.grafana_admin,
        },
    });
    let boot = boot.to_string().replace('<', "\\u003c");
    page(
        "Grafana",
        &html! {
            script type="application/json" id="grafana-boot-data" { (PreEscaped(boot)) }
            h1 { "Grafana" }
            p { "Signed in as " span id="login" { (user.login) } " with role " span id="role" { (user.role) } }
            a id="logout" href=(logout) { "Sign out" }
        },
    )
}
