//! Whether an Authentik serves what was made in it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use ssoproof_deployment::Deployment;
use ssoproof_embedded::dial::Client;
use url::Url;

use crate::stacks::StackError;

/// The longest wait: the embedded outpost learns of its providers by itself.
const LIMIT: Duration = Duration::from_secs(120);
/// The shortest and the longest pause between two questions.
const PAUSES: (Duration, Duration) = (Duration::from_millis(15), Duration::from_millis(500));

/// Waits until every app's discovery document and every service's forward auth answer at `base`.
///
/// # Errors
/// [`StackError::Provision`] with the one that does not, and its last answer.
pub(crate) async fn served(deployment: &Deployment, client: &Client, base: &str) -> Result<(), StackError> {
    let base = base.trim_end_matches('/');
    discovered(deployment, client, base).await?;
    let path = format!("{base}/outpost.goauthentik.io/auth/traefik");
    for service in deployment.services.values().filter(|service| service.in_outpost) {
        let host = Url::parse(&service.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        until(client, &path, host, |status| status != 404 && status < 500).await?;
    }
    Ok(())
}

/// The same from where browsers are: at the deployment's own URLs.
///
/// # Errors
/// [`StackError::Provision`] with the one that does not answer, and its last answer.
pub(crate) async fn served_behind_gateway(
    deployment: &Deployment,
    client: &Client,
) -> Result<(), StackError> {
    discovered(deployment, client, &deployment.auth.url).await?;
    for service in deployment.services.values().filter(|service| service.in_outpost) {
        let url = format!("{}/outpost.goauthentik.io/start", deployment.outpost_of(service));
        until(client, &url, None, |status| status == 302).await?;
    }
    Ok(())
}

/// Waits until every app's discovery document answers at `base`.
async fn discovered(deployment: &Deployment, client: &Client, base: &str) -> Result<(), StackError> {
    for (_, provider) in deployment.providers() {
        let path = format!("{base}/application/o/{}/.well-known/openid-configuration", *provider.slug);
        until(client, &path, None, |status| status == 200).await?;
    }
    Ok(())
}

/// Waits until the Authentik at `base` says that it is ready, after a component of it was away.
///
/// # Errors
/// [`StackError::Provision`] with its last answer.
pub(crate) async fn answers(client: &Client, base: &str) -> Result<(), StackError> {
    let url = format!("{}/-/health/ready/", base.trim_end_matches('/'));
    until(client, &url, None, |status| (200..300).contains(&status)).await
}

/// Asks until the status is good.
async fn until(
    client: &Client,
    url: &str,
    host: Option<String>,
    good: impl Fn(u16) -> bool,
) -> Result<(), StackError> {
    let (started, mut pause) = (Instant::now(), PAUSES.0);
    loop {
        let mut request = Request::builder().uri(url);
        if let Some(host) = &host {
            request = request.header("X-Forwarded-Host", host).header("X-Forwarded-Proto", "https");
            request = request.header("X-Forwarded-Uri", "/").header("X-Forwarded-Method", "GET");
        }
        let failed = |reason: String| StackError::Provision {
            what: host.as_ref().map_or_else(|| url.to_owned(), |host| format!("{url} for {host}")),
            reason,
        };
        let request = request.body(Full::<Bytes>::default()).map_err(|error| failed(error.to_string()))?;
        let state = match client.send(request).await {
            Ok(answer) if good(answer.status().as_u16()) => return Ok(()),
            Ok(answer) => format!("it answers {}", answer.status()),
            Err(error) => error.to_string(),
        };
        if started.elapsed() > LIMIT {
            return Err(failed(format!("{state} after {} s", LIMIT.as_secs())));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(PAUSES.1);
    }
}
