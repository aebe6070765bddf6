//! A PostgreSQL container kept as an image, so that a later start has its data at once.

use std::collections::HashMap;

use testcontainers::bollard::models::ContainerConfig;
use testcontainers::bollard::query_parameters::{
    CommitContainerOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder,
};

use crate::docker::{Docker, Error};
use crate::postgres::Postgres;

const REPOSITORY: &str = "ssoproof-snapshot";
/// The label that says which deployment a snapshot belongs to.
const LABEL: &str = "ssoproof.snapshot";

/// A snapshot that may exist.
pub struct Snapshot {
    docker: Docker,
    owner: String,
    key: String,
}

impl Snapshot {
    /// The snapshot of `owner`, a deployment, that fits `key`: both are letters and digits.
    pub fn new(docker: Docker, owner: String, key: String) -> Self {
        Self { docker, owner, key }
    }

    /// Its image's name.
    pub fn image(&self) -> String {
        format!("{REPOSITORY}:{}", self.tag())
    }

    fn tag(&self) -> String {
        format!("{}-{}", self.owner, self.key)
    }

    /// Whether it exists.
    pub async fn exists(&self) -> bool {
        self.docker.has(&self.image()).await
    }

    /// Keeps the data of `postgres`, paused meanwhile, and drops every other snapshot of the owner.
    ///
    /// # Errors
    /// [`Error::Task`] with what Docker said.
    pub async fn keep(&self, postgres: &Postgres) -> Result<(), Error> {
        postgres.settle().await?;
        let options = CommitContainerOptionsBuilder::new()
            .container(postgres.component.id())
            .repo(REPOSITORY)
            .tag(&self.tag())
            .pause(true)
            .build();
        let labels = HashMap::from([(LABEL.to_owned(), self.owner.clone())]);
        let config = ContainerConfig { labels: Some(labels), ..ContainerConfig::default() };
        let kept = self.docker.0.commit_container(options, config).await;
        kept.map_err(|error| Docker::refused("keep a snapshot of PostgreSQL", &error))?;
        self.docker.forget(&self.owner, Some(&self.image())).await
    }
}

impl Docker {
    /// Removes every snapshot of `owner` but `kept`.
    ///
    /// # Errors
    /// [`Error::Task`] with what Docker said.
    pub async fn forget(&self, owner: &str, kept: Option<&str>) -> Result<(), Error> {
        let filter = format!("{LABEL}={owner}");
        let filters = HashMap::from([("label", vec![filter.as_str()])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let refused = |error| Docker::refused("list snapshots", &error);
        let images = self.0.list_images(Some(options)).await.map_err(refused)?;
        for name in images.into_iter().flat_map(|image| image.repo_tags) {
            if Some(name.as_str()) != kept {
                let options = RemoveImageOptionsBuilder::new().build();
                // One that a container still uses goes with a later start.
                let _ = self.0.remove_image(&name, Some(options), None).await;
            }
        }
        Ok(())
    }

    /// Whether this daemon has an image.
    pub async fn has(&self, image: &str) -> bool {
        self.0.inspect_image(image).await.is_ok()
    }

    /// The id of an image, which changes with its content; its name where this daemon does not have it yet.
    pub async fn digest(&self, image: &str) -> String {
        let found = self.0.inspect_image(image).await.ok();
        found.and_then(|found| found.id).unwrap_or_else(|| image.to_owned())
    }
}
