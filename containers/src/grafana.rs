//! Grafana, signing in by generic OAuth.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use ssoproof_deployment::Grafana;

use crate::component::{Component, Recipe};
use crate::docker::Error;
use crate::lab::Lab;
use crate::ready::{LIMIT, client, get, ready};

/// Where the CA stands in the container.
const CA: &str = "/etc/ssoproof/ca.pem";

/// What a Grafana starts with.
pub struct GrafanaSettings<'a> {
    /// The image.
    pub image: &'a str,
    /// What the deployment promises.
    pub app: &'a Grafana,
    /// The host and the port at which Traefik reaches it.
    pub upstream: (String, u16),
    /// Authentik's public URL, without a path.
    pub auth_url: &'a str,
    /// The secret of its provider's client.
    pub client_secret: &'a SecretString,
    /// The password of its own administrator.
    pub admin_password: &'a SecretString,
    /// The file with the CA that it trusts, PEM.
    pub ca: &'a Path,
}

/// Starts a Grafana and waits until its database is there and its login page answers.
///
/// # Errors
/// [`Error`] with the last state and the end of its log.
pub async fn start(lab: &Lab, settings: &GrafanaSettings<'_>) -> Result<Component, Error> {
    let (host, port) = &settings.upstream;
    let mut recipe = Recipe::new("grafana", settings.image, &lab.apps);
    recipe.environment = environment(settings);
    recipe.mounts = vec![(PathBuf::from(settings.ca), CA)];
    let component = Component::start(lab, recipe).await?;
    component.join(&lab.front, std::slice::from_ref(host)).await?;
    let base = format!("http://{}", component.address(*port).await?);
    let client = client("ask Grafana")?;
    ready(&component, LIMIT, async || {
        let health = get(&client, &format!("{base}/api/health")).await?;
        let health: Value = serde_json::from_str(&health).map_err(|error| error.to_string())?;
        if health["database"] != "ok" {
            return Err(format!("its database is {}", health["database"]));
        }
        get(&client, &format!("{base}/login")).await.map(drop)
    })
    .await?;
    Ok(component)
}

/// `grafana.ini` by variables, with its defaults where nothing is said.
fn environment(settings: &GrafanaSettings<'_>) -> Vec<(String, String)> {
    let (app, auth) = (settings.app, settings.auth_url);
    let scopes: Vec<&str> = app.provider.scopes.iter().map(|scope| scope.as_str()).collect();
    let mut environment = vec![
        ("GF_SERVER_HTTP_PORT", settings.upstream.1.to_string()),
        ("GF_SERVER_ROOT_URL", app.url.value.clone()),
        ("GF_SECURITY_ADMIN_PASSWORD", settings.admin_password.expose_secret().to_owned()),
        ("GF_SECURITY_COOKIE_SECURE", "true".to_owned()),
        ("GF_AUTH_GENERIC_OAUTH_ENABLED", "true".to_owned()),
        ("GF_AUTH_GENERIC_OAUTH_CLIENT_ID", app.provider.client_id.clone()),
        ("GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET", settings.client_secret.expose_secret().to_owned()),
        ("GF_AUTH_GENERIC_OAUTH_SCOPES", scopes.join(" ")),
        ("GF_AUTH_GENERIC_OAUTH_AUTH_URL", format!("{auth}/application/o/authorize/")),
        ("GF_AUTH_GENERIC_OAUTH_TOKEN_URL", format!("{auth}/application/o/token/")),
        ("GF_AUTH_GENERIC_OAUTH_API_URL", format!("{auth}/application/o/userinfo/")),
        ("GF_AUTH_GENERIC_OAUTH_LOGIN_ATTRIBUTE_PATH", "preferred_username".to_owned()),
        ("GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH", app.role_attribute_path.value.clone()),
        ("GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_STRICT", app.role_attribute_strict.to_string()),
        ("GF_AUTH_GENERIC_OAUTH_TLS_CLIENT_CA", CA.to_owned()),
        // Cases sign in beside each other, and SQLite locks its file for each.
        ("GF_DATABASE_WAL", "true".to_owned()),
        // A stack that tests start tells nobody, and asks nobody for updates and plugins.
        ("GF_ANALYTICS_REPORTING_ENABLED", "false".to_owned()),
        ("GF_ANALYTICS_CHECK_FOR_UPDATES", "false".to_owned()),
        ("GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES", "false".to_owned()),
        ("GF_PLUGINS_PREINSTALL_DISABLED", "true".to_owned()),
    ];
    environment.extend(
        app.signout_redirect_url.iter().map(|url| ("GF_AUTH_SIGNOUT_REDIRECT_URL", url.value.clone())),
    );
    environment.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ssoproof_deployment::Deployment;

    use super::*;

    /// What Grafana would be told about the SpaceMusic deployment, after `change`.
    fn told(change: impl FnOnce(&mut Grafana)) -> BTreeMap<String, String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");
        let mut app = Deployment::load(folder.as_ref()).unwrap().apps.grafana.unwrap();
        change(&mut app);
        let settings = GrafanaSettings {
            image: "grafana",
            app: &app,
            upstream: ("grafana".to_owned(), 3000),
            auth_url: "https://auth.spacemusic.tv",
            client_secret: &SecretString::from("of-the-client"),
            admin_password: &SecretString::from("of-the-admin"),
            ca: Path::new("/tmp/ca.pem"),
        };
        environment(&settings).into_iter().collect()
    }

    #[test]
    fn grafana_is_told_what_the_deployment_says_of_its_login() {
        let told = told(|_| ());
        for (name, value) in [
            ("SERVER_HTTP_PORT", "3000"),
            ("SERVER_ROOT_URL", "https://dashboard.spacemusic.tv"),
            ("SECURITY_ADMIN_PASSWORD", "of-the-admin"),
            ("AUTH_SIGNOUT_REDIRECT_URL", "https://auth.spacemusic.tv/application/o/grafana/end-session/"),
            ("AUTH_GENERIC_OAUTH_ENABLED", "true"),
            ("AUTH_GENERIC_OAUTH_CLIENT_ID", "grafana-spacemusic"),
            ("AUTH_GENERIC_OAUTH_CLIENT_SECRET", "of-the-client"),
            ("AUTH_GENERIC_OAUTH_SCOPES", "openid profile email"),
            ("AUTH_GENERIC_OAUTH_AUTH_URL", "https://auth.spacemusic.tv/application/o/authorize/"),
            ("AUTH_GENERIC_OAUTH_TOKEN_URL", "https://auth.spacemusic.tv/application/o/token/"),
            ("AUTH_GENERIC_OAUTH_API_URL", "https://auth.spacemusic.tv/application/o/userinfo/"),
            ("AUTH_GENERIC_OAUTH_LOGIN_ATTRIBUTE_PATH", "preferred_username"),
            (
                "AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH",
                "contains(groups[*], 'spacemusic-admins') && 'Admin' || contains(groups[*], 'spacemusic-studio') \
                 && 'Editor' || 'Viewer'",
            ),
            ("AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_STRICT", "false"),
            ("AUTH_GENERIC_OAUTH_TLS_CLIENT_CA", "/etc/ssoproof/ca.pem"),
        ] {
            assert_eq!(told.get(&format!("GF_{name}")).map(String::as_str), Some(value), "{name}");
        }
        // Grafana's own default, as for the embedded one.
        assert_eq!(told.get("GF_AUTH_GENERIC_OAUTH_USE_PKCE"), None);
    }

    #[test]
    fn grafana_goes_to_its_login_page_where_no_sign_out_url_is_set() {
        let told = told(|app| {
            app.signout_redirect_url = None;
            app.role_attribute_strict = true;
        });
        assert_eq!(told.get("GF_AUTH_SIGNOUT_REDIRECT_URL"), None);
        assert_eq!(told["GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_STRICT"], "true");
    }
}
