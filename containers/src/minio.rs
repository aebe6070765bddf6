//! MinIO, with Authentik as its OpenID provider.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use ssoproof_deployment::Minio;

use crate::component::{Component, Recipe};
use crate::docker::{Error, root_cause};
use crate::lab::Lab;
use crate::ready::{LIMIT, Not, client, get, ready};
use crate::sigv4::Signer;

/// The root user.
const ROOT: &str = "root";
/// The folder of certificates in the container; without one of its own MinIO speaks plain HTTP.
const CERTIFICATES: &str = "/etc/ssoproof/certs";
const CA: &str = "/etc/ssoproof/certs/CAs/ca.pem";
/// What stands in a query as it is (RFC 3986).
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a MinIO starts with.
pub struct MinioSettings<'a> {
    /// The image.
    pub image: &'a str,
    /// What the deployment promises.
    pub app: &'a Minio,
    /// The host and the port at which Traefik reaches the console.
    pub console: (String, u16),
    /// The host and the port at which Traefik reaches the S3 and STS API.
    pub api: (String, u16),
    /// Authentik's public URL, without a path.
    pub auth_url: &'a str,
    /// The secret of its provider's client.
    pub client_secret: &'a SecretString,
    /// The password of the root user, 8 characters or more.
    pub root_password: &'a SecretString,
    /// IAM policies by name, as JSON.
    pub policies: &'a BTreeMap<String, String>,
    /// The file with the CA that it trusts, PEM.
    pub ca: &'a Path,
}

/// Starts a MinIO, waits until it has found its provider and its STS judges tokens, then makes the policies and the
/// buckets. The provider must answer by now: MinIO waits for it, and looks again only every few seconds.
///
/// # Errors
/// [`Error`] with the last state and the end of its log.
pub async fn start(lab: &Lab, settings: &MinioSettings<'_>) -> Result<Component, Error> {
    let ((console_host, console), (api_host, api)) = (&settings.console, &settings.api);
    let mut recipe = Recipe::new("minio", settings.image, &lab.apps);
    recipe.command = ["server", "/data", "--certs-dir", CERTIFICATES].map(str::to_owned).into();
    let addresses = [("--address", api), ("--console-address", console)];
    recipe
        .command
        .extend(addresses.into_iter().flat_map(|(flag, port)| [flag.to_owned(), format!(":{port}")]));
    recipe.environment = environment(settings);
    recipe.mounts = vec![(PathBuf::from(settings.ca), CA)];
    let component = Component::start(lab, recipe).await?;
    let mut hosts = vec![console_host.clone(), api_host.clone()];
    hosts.dedup();
    component.join(&lab.front, &hosts).await?;
    let base = format!("http://{}", component.address(*api).await?);
    let client = client("ask MinIO")?;
    ready(&component, LIMIT, async || {
        // `/minio/health/ready` says yes without a provider, when every login still fails.
        get(&client, &format!("{base}/minio/health/cluster")).await?;
        judges(&client, &base).await
    })
    .await?;
    let root = Signer { access_key: ROOT, secret_key: settings.root_password.expose_secret() };
    let policies = settings.policies.iter().map(|(name, policy)| {
        let name = utf8_percent_encode(name, &UNRESERVED);
        (format!("{base}/minio/admin/v3/add-canned-policy?name={name}"), policy.clone())
    });
    let buckets = settings.app.buckets.iter().map(|bucket| (format!("{base}/{bucket}"), String::new()));
    for (url, body) in policies.chain(buckets) {
        ready(&component, LIMIT, async || put(&client, &root, &url, &body).await).await?;
    }
    Ok(component)
}

fn environment(settings: &MinioSettings<'_>) -> Vec<(String, String)> {
    let provider = &settings.app.provider;
    let scopes: Vec<&str> = provider.scopes.iter().map(|scope| scope.as_str()).collect();
    let slug = provider.slug.as_str();
    let config = format!("{}/application/o/{slug}/.well-known/openid-configuration", settings.auth_url);
    let mut environment = vec![
        ("MINIO_ROOT_USER", ROOT.to_owned()),
        ("MINIO_ROOT_PASSWORD", settings.root_password.expose_secret().to_owned()),
        ("MINIO_IDENTITY_OPENID_CONFIG_URL", config),
        ("MINIO_IDENTITY_OPENID_CLIENT_ID", provider.client_id.clone()),
        ("MINIO_IDENTITY_OPENID_CLIENT_SECRET", settings.client_secret.expose_secret().to_owned()),
        ("MINIO_IDENTITY_OPENID_CLAIM_NAME", settings.app.claim_name.value.clone()),
        ("MINIO_IDENTITY_OPENID_SCOPES", scopes.join(",")),
        ("MINIO_BROWSER_REDIRECT_URL", settings.app.url.value.clone()),
        // A stack that tests start asks nobody for updates.
        ("MINIO_UPDATE", "off".to_owned()),
    ];
    let redirect = provider.redirect_uris.first();
    environment.extend(redirect.map(|uri| ("MINIO_IDENTITY_OPENID_REDIRECT_URI", uri.value.clone())));
    environment.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Whether the STS judges tokens by the provider's keys: one that is none is refused for what it is, while without a
/// provider the refusal is about the provider (`truth/minio/10-algs`, `22-startup`).
async fn judges(client: &Client, base: &str) -> Result<(), String> {
    let form = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=none";
    let asked = client
        .post(format!("{base}/"))
        .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form)
        .send();
    let answer = asked.await.map_err(|error| root_cause(&error))?;
    let (status, body) = (answer.status(), answer.text().await.map_err(|error| root_cause(&error))?);
    if status == StatusCode::BAD_REQUEST && body.contains("token contains an invalid number of segments") {
        return Ok(());
    }
    Err(format!("its STS answers {status} {body}"))
}

/// A signed PUT. What MinIO refuses, it refuses for good.
async fn put(client: &Client, root: &Signer<'_>, url: &str, body: &str) -> Result<(), Not> {
    let url = Url::parse(url).map_err(|error| Not::Ever(error.to_string()))?;
    let headers = root.headers(Timestamp::now(), &Method::PUT, &url, body.as_bytes());
    let request = client.put(url.clone()).body(body.to_owned());
    let asked =
        headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)).send();
    let answer = asked.await.map_err(|error| Not::Yet(root_cause(&error)))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let said = answer.text().await.unwrap_or_default();
    let state = format!("PUT {url} answers {status} {said}");
    Err(if status.is_client_error() { Not::Ever(state) } else { Not::Yet(state) })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ssoproof_deployment::Deployment;

    use super::*;

    #[test]
    fn minio_is_told_what_the_deployment_says_of_its_provider() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");
        let app = Deployment::load(folder.as_ref()).unwrap().apps.minio.unwrap();
        let settings = MinioSettings {
            image: "minio",
            app: &app,
            console: ("minio".to_owned(), 9001),
            api: ("minio".to_owned(), 9000),
            auth_url: "https://auth.spacemusic.tv",
            client_secret: &SecretString::from("of-the-client"),
            root_password: &SecretString::from("of-the-root"),
            policies: &BTreeMap::new(),
            ca: Path::new("/tmp/ca.pem"),
        };
        let told: BTreeMap<String, String> = environment(&settings).into_iter().collect();
        let config = "https://auth.spacemusic.tv/application/o/minio/.well-known/openid-configuration";
        for (name, value) in [
            ("ROOT_USER", "root"),
            ("ROOT_PASSWORD", "of-the-root"),
            ("IDENTITY_OPENID_CONFIG_URL", config),
            ("IDENTITY_OPENID_CLIENT_ID", "minio-spacemusic"),
            ("IDENTITY_OPENID_CLIENT_SECRET", "of-the-client"),
            ("IDENTITY_OPENID_CLAIM_NAME", "groups"),
            ("IDENTITY_OPENID_SCOPES", "openid,profile,email"),
            ("IDENTITY_OPENID_REDIRECT_URI", "https://storage.spacemusic.tv/oauth_callback"),
            ("BROWSER_REDIRECT_URL", "https://storage.spacemusic.tv"),
        ] {
            assert_eq!(told.get(&format!("MINIO_{name}")).map(String::as_str), Some(value), "{name}");
        }
    }
}
