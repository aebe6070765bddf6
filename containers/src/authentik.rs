//! Authentik: a server and a worker of one image.

use std::net::SocketAddr;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::component::{Component, Planned, Recipe};
use crate::docker::Error;
use crate::lab::Lab;
use crate::ready::{LIMIT, get, ready};

/// What an Authentik starts with.
pub struct AuthentikSettings<'a> {
    /// The image.
    pub image: &'a str,
    /// The host by which Traefik reaches the server.
    pub alias: &'a str,
    /// The port at which Traefik reaches the server.
    pub port: u16,
    /// `AUTHENTIK_SECRET_KEY`.
    pub secret_key: &'a SecretString,
    /// `AUTHENTIK_BOOTSTRAP_PASSWORD`.
    pub bootstrap_password: &'a SecretString,
    /// `AUTHENTIK_BOOTSTRAP_TOKEN`.
    pub bootstrap_token: &'a SecretString,
    /// Where PostgreSQL answers.
    pub postgres_host: &'a str,
    /// The user, who owns the database.
    pub postgres_user: &'a str,
    /// The user's password.
    pub postgres_password: &'a SecretString,
    /// The database.
    pub postgres_name: &'a str,
    /// Where Redis answers.
    pub redis_host: &'a str,
}

/// What the default blueprints make, by the names that a deployment refers to.
pub struct Defaults<'a> {
    /// Slugs of flows.
    pub flows: Vec<&'a str>,
    /// Scopes that have a mapping of Authentik's own.
    pub scopes: Vec<&'a str>,
}

/// The server, which answers requests.
pub struct AuthentikServer {
    /// Its container.
    pub component: Component,
    /// Where it answers.
    pub address: SocketAddr,
}

impl AuthentikServer {
    /// One with these settings.
    pub fn plan(lab: &Lab, settings: &AuthentikSettings<'_>) -> Planned {
        Planned { lab: lab.clone(), recipe: recipe(lab, settings, "authentik-server", "server") }
    }

    /// Lets Traefik find the one in `component` and waits until it says that it is ready.
    ///
    /// # Errors
    /// [`Error`] with the last state and the end of its log.
    pub async fn ready(
        component: Component,
        lab: &Lab,
        settings: &AuthentikSettings<'_>,
    ) -> Result<Self, Error> {
        let address = component.address(settings.port).await?;
        let (client, ready_at) = (client(settings)?, format!("http://{address}/-/health/ready/"));
        let aliases = [settings.alias.to_owned()];
        tokio::try_join!(
            component.join(&lab.front, &aliases),
            ready(&component, LIMIT, async || get(&client, &ready_at).await),
        )?;
        Ok(Self { component, address })
    }
}

/// A worker of the same settings as the server, which applies blueprints and runs tasks.
pub fn worker(lab: &Lab, settings: &AuthentikSettings<'_>) -> Planned {
    Planned { lab: lab.clone(), recipe: recipe(lab, settings, "authentik-worker", "worker") }
}

/// Waits until `worker` has applied the default blueprints, which the server at `address` tells.
///
/// # Errors
/// [`Error`] with what is not there yet and the end of the worker's log.
pub async fn defaults_applied(
    worker: &Component,
    address: SocketAddr,
    settings: &AuthentikSettings<'_>,
    defaults: &Defaults<'_>,
) -> Result<(), Error> {
    let (client, base) = (client(settings)?, format!("http://{address}"));
    ready(worker, LIMIT, async || missing(&client, &base, defaults).await).await
}

fn recipe(lab: &Lab, settings: &AuthentikSettings<'_>, name: &'static str, command: &str) -> Recipe {
    let mut recipe = Recipe::new(name, settings.image, &lab.back);
    recipe.command = vec![command.to_owned()];
    recipe.environment = environment(settings);
    recipe
}

/// The same for server and worker. `AUTHENTIK_REDIS__HOST` was used up to 2025.8 and is ignored since.
fn environment(settings: &AuthentikSettings<'_>) -> Vec<(String, String)> {
    let secret = |value: &SecretString| value.expose_secret().to_owned();
    [
        ("AUTHENTIK_SECRET_KEY", secret(settings.secret_key)),
        ("AUTHENTIK_BOOTSTRAP_PASSWORD", secret(settings.bootstrap_password)),
        ("AUTHENTIK_BOOTSTRAP_TOKEN", secret(settings.bootstrap_token)),
        ("AUTHENTIK_BOOTSTRAP_EMAIL", "akadmin@ssoproof.invalid".to_owned()),
        ("AUTHENTIK_POSTGRESQL__HOST", settings.postgres_host.to_owned()),
        ("AUTHENTIK_POSTGRESQL__USER", settings.postgres_user.to_owned()),
        ("AUTHENTIK_POSTGRESQL__PASSWORD", secret(settings.postgres_password)),
        ("AUTHENTIK_POSTGRESQL__NAME", settings.postgres_name.to_owned()),
        ("AUTHENTIK_REDIS__HOST", settings.redis_host.to_owned()),
        ("AUTHENTIK_LISTEN__HTTP", format!("0.0.0.0:{}", settings.port)),
        // A stack that tests start tells nobody, and asks nobody for updates.
        ("AUTHENTIK_DISABLE_UPDATE_CHECK", "true".to_owned()),
        ("AUTHENTIK_ERROR_REPORTING__ENABLED", "false".to_owned()),
        ("AUTHENTIK_DISABLE_STARTUP_ANALYTICS", "true".to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

fn client(settings: &AuthentikSettings<'_>) -> Result<reqwest::Client, Error> {
    let unusable = |reason: String| Error::Task { task: "ask Authentik's API".to_owned(), reason };
    let value = format!("Bearer {}", settings.bootstrap_token.expose_secret());
    let mut value =
        reqwest::header::HeaderValue::from_str(&value).map_err(|error| unusable(error.to_string()))?;
    value.set_sensitive(true);
    let headers = std::iter::once((reqwest::header::AUTHORIZATION, value)).collect();
    let client = reqwest::Client::builder().default_headers(headers).no_proxy().build();
    client.map_err(|error| unusable(error.to_string()))
}

/// What the default blueprints have not made yet.
async fn missing(client: &reqwest::Client, base: &str, defaults: &Defaults<'_>) -> Result<(), String> {
    let list = async |path: &str| -> Result<Vec<Value>, String> {
        let body = get(client, &format!("{base}/api/v3/{path}")).await?;
        let body: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        Ok(body["results"].as_array().cloned().unwrap_or_default())
    };
    for slug in &defaults.flows {
        if list(&format!("flows/instances/?slug={slug}")).await?.is_empty() {
            return Err(format!("there is no flow `{slug}` yet"));
        }
    }
    let mappings = list("propertymappings/provider/scope/?page_size=100").await?;
    for scope in &defaults.scopes {
        let own = |found: &Value| found["managed"].is_string() && found["scope_name"] == **scope;
        if !mappings.iter().any(own) {
            return Err(format!("there is no mapping for the scope `{scope}` yet"));
        }
    }
    for (what, path) in [
        ("embedded outpost", "outposts/instances/?managed__iexact=goauthentik.io%2Foutposts%2Fembedded"),
        ("key pair", "crypto/certificatekeypairs/?has_key=true"),
    ] {
        if list(path).await?.is_empty() {
            return Err(format!("there is no {what} yet"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_and_worker_get_the_names_that_authentik_reads() {
        let secret = SecretString::from("s3cret");
        let settings = AuthentikSettings {
            image: "authentik",
            alias: "authentik-server",
            port: 9000,
            secret_key: &secret,
            bootstrap_password: &secret,
            bootstrap_token: &secret,
            postgres_host: "db",
            postgres_user: "authentik",
            postgres_password: &secret,
            postgres_name: "authentik",
            redis_host: "cache",
        };
        let environment = environment(&settings);
        let value =
            |name: &str| environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(value("AUTHENTIK_POSTGRESQL__HOST"), Some("db"));
        assert_eq!(value("AUTHENTIK_POSTGRESQL__PASSWORD"), Some("s3cret"));
        assert_eq!(value("AUTHENTIK_REDIS__HOST"), Some("cache"));
        assert_eq!(value("AUTHENTIK_LISTEN__HTTP"), Some("0.0.0.0:9000"));
        assert_eq!(value("AUTHENTIK_BOOTSTRAP_TOKEN"), Some("s3cret"));
    }
}
