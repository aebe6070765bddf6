//! Grafana's settings, from a file of theirs or from the deployment.

use ssoproof_deployment::{Deployment, Source};
use ssoproof_embedded::grafana::role::{Role, RoleSettings};

use super::finding::at;
use super::settings::{Said, Settings};

/// The way back from the login, below Grafana's root.
pub(super) const CALLBACK: &str = "/login/generic_oauth";

/// Grafana's settings.
#[derive(Clone, Debug)]
pub(super) struct GrafanaSettings {
    /// The slug of its application in Authentik.
    pub(super) slug: Option<String>,
    /// `[server] root_url`, when a file says it.
    pub(super) root_url: Option<Said>,
    /// The endpoints, when a file says them, by their settings.
    pub(super) endpoints: Vec<(&'static str, Said)>,
    /// The scopes asked for.
    pub(super) scopes: Option<Said>,
    /// `role_attribute_path`.
    pub(super) expression: Option<Said>,
    /// Everything about roles.
    pub(super) role: RoleSettings,
    /// Where its sign-out leads.
    pub(super) sign_out: Option<Said>,
}

impl GrafanaSettings {
    /// What `file` says, and what the deployment says where it says nothing.
    pub(super) fn of(
        stated: Option<&Source>,
        deployment: &Deployment,
        file: Option<Settings>,
    ) -> Option<Self> {
        let app = deployment.apps.grafana.as_ref();
        if app.is_none() && file.is_none() {
            return None;
        }
        let get = |name: &str| file.as_ref().and_then(|file| file.get(name));
        let oauth = |name: &str| get(&format!("GF_AUTH_GENERIC_OAUTH_{name}"));
        let flag = |name: &str| {
            let said = file.as_ref().and_then(|file| file.flag(&format!("GF_AUTH_GENERIC_OAUTH_{name}")));
            said.map(|(on, _)| on)
        };
        let own = |text: &ssoproof_deployment::Located<String>| {
            Said::new(text.value.clone(), stated.map(|source| at(source, text.place)))
        };
        // A file that says nothing of roles leaves Grafana without them, whatever the deployment promises.
        let expression = match &file {
            Some(_) => oauth("ROLE_ATTRIBUTE_PATH"),
            None => app.map(|app| own(&app.role_attribute_path)),
        };
        let sign_out = oauth("SIGNOUT_REDIRECT_URL").or_else(|| get("GF_AUTH_SIGNOUT_REDIRECT_URL"));
        let sign_out =
            sign_out.or_else(|| app?.signout_redirect_url.as_ref().filter(|_| file.is_none()).map(own));
        let scopes = oauth("SCOPES").or_else(|| {
            let scopes = &app.filter(|_| file.is_none())?.provider.scopes;
            let listed: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            let place = scopes.first()?.place;
            Some(Said::new(listed.join(" "), stated.map(|source| at(source, place))))
        });
        let names = [("auth_url", "AUTH_URL"), ("token_url", "TOKEN_URL"), ("api_url", "API_URL")];
        let role = RoleSettings {
            attribute_path: expression.as_ref().map(|said| said.value.clone()).unwrap_or_default(),
            strict: flag("ROLE_ATTRIBUTE_STRICT")
                .unwrap_or_else(|| file.is_none() && app.is_some_and(|app| app.role_attribute_strict)),
            allow_assign_grafana_admin: flag("ALLOW_ASSIGN_GRAFANA_ADMIN").unwrap_or_default(),
            skip_org_role_sync: flag("SKIP_ORG_ROLE_SYNC").unwrap_or_default(),
            auto_assign_org_role: get("GF_USERS_AUTO_ASSIGN_ORG_ROLE")
                .and_then(|said| Role::from_name(&said.value))
                .unwrap_or(Role::Viewer),
        };
        Some(Self {
            slug: app.map(|app| app.provider.slug.value.clone()),
            root_url: get("GF_SERVER_ROOT_URL"),
            endpoints: names.into_iter().filter_map(|(name, key)| Some((name, oauth(key)?))).collect(),
            scopes,
            expression,
            role,
            sign_out,
        })
    }
}
