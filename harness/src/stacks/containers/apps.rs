//! Grafana and MinIO in a stack of containers: each in a container of its own, or served by the harness.

use std::path::Path;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use ssoproof_containers::{
    Component, GrafanaSettings, Image, Images, Lab, MinioSettings, start_grafana, start_minio,
};
use ssoproof_deployment::{Deployment, Grafana, Minio};

use super::super::parts::{failed, host_and_port, policy_texts};
use super::super::{Secrets, StackError};
use super::start::timed;

/// The apps of a deployment by who serves them.
pub(super) struct Apps<'a> {
    deployment: &'a Deployment,
    /// Grafana, when the harness serves it.
    pub(super) served_grafana: Option<&'a Grafana>,
    /// MinIO, when the harness serves it.
    pub(super) served_minio: Option<&'a Minio>,
    /// Grafana with its image, when a container does.
    grafana: Option<(&'a Grafana, &'a str)>,
    /// MinIO with its image, when a container does.
    minio: Option<(&'a Minio, &'a str)>,
}

/// A started app, and how long it took.
type Started = Option<(Component, Duration)>;

impl<'a> Apps<'a> {
    pub(super) fn of(deployment: &'a Deployment, images: &'a Images) -> Self {
        let (served_grafana, grafana) = parted(deployment.apps.grafana.as_ref(), &images.grafana);
        let (served_minio, minio) = parted(deployment.apps.minio.as_ref(), &images.minio);
        Self { deployment, served_grafana, served_minio, grafana, minio }
    }

    /// Whether one of them is in a container.
    pub(super) fn in_containers(&self) -> bool {
        self.grafana.is_some() || self.minio.is_some()
    }

    /// Starts Grafana's container, if it has one. It dials Authentik at a login only.
    pub(super) async fn grafana(
        &self,
        lab: &Lab,
        ca: &Path,
        secrets: &Secrets,
    ) -> Result<Started, StackError> {
        let Some((app, image)) = self.grafana else { return Ok(None) };
        let settings = GrafanaSettings {
            image,
            app,
            upstream: upstream("Grafana", &app.upstream)?,
            auth_url: &self.deployment.auth.url,
            client_secret: &client_secret(secrets, &app.provider.client_id),
            admin_password: &secrets.grafana_admin,
            ca,
        };
        timed(Instant::now(), start_grafana(lab, &settings)).await.map(Some)
    }

    /// Starts MinIO's container, if it has one, once Authentik answers through Traefik.
    pub(super) async fn minio(&self, lab: &Lab, ca: &Path, secrets: &Secrets) -> Result<Started, StackError> {
        let Some((app, image)) = self.minio else { return Ok(None) };
        let settings = MinioSettings {
            image,
            app,
            console: upstream("MinIO", &app.upstream)?,
            api: upstream("MinIO", &app.api_upstream)?,
            auth_url: &self.deployment.auth.url,
            client_secret: &client_secret(secrets, &app.provider.client_id),
            root_password: &secrets.minio_root,
            policies: &policy_texts(self.deployment)?,
            ca,
        };
        timed(Instant::now(), start_minio(lab, &settings)).await.map(Some)
    }
}

/// An app for the harness to serve, or for a container with its image.
fn parted<'a, A>(app: Option<&'a A>, image: &'a Image) -> (Option<&'a A>, Option<(&'a A, &'a str)>) {
    match (app, image) {
        (Some(app), Image::Named(image)) => (None, Some((app, image))),
        (app, _) => (app, None),
    }
}

fn upstream(part: &'static str, url: &str) -> Result<(String, u16), StackError> {
    host_and_port(url).ok_or_else(|| failed(part, &format!("its upstream `{url}` names no host")))
}

/// The secret that the client was provisioned with.
fn client_secret(secrets: &Secrets, client_id: &str) -> SecretString {
    secrets.client_secrets.get(client_id).cloned().unwrap_or_default()
}
