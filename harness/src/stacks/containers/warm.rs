//! Warm starts: the provisioned database of an earlier start, kept as an image, and the secrets that open it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use ssoproof_containers::{Docker, Images, Postgres, Snapshot};
use ssoproof_deployment::Deployment;

use super::super::lease::{plain, private_folder, state_folder};
use super::super::parts::failed;
use super::super::secrets::{Kept, random, write_private};
use super::super::{Secrets, StackError};
use super::described;
use crate::provision;

/// The secrets of a stack and of its database.
pub(super) struct StackSecrets {
    pub(super) secrets: Secrets,
    /// `AUTHENTIK_SECRET_KEY`.
    pub(super) secret_key: SecretString,
    pub(super) postgres_password: SecretString,
}

/// The same in a file that only this user reads.
#[derive(Deserialize, Serialize)]
struct Stored {
    secrets: Kept,
    secret_key: String,
    postgres_password: String,
}

impl StackSecrets {
    pub(super) fn random(deployment: &Deployment) -> Self {
        Self { secrets: Secrets::random(deployment), secret_key: random(), postgres_password: random() }
    }
}

/// A snapshot that may exist, and the file with its secrets.
pub(super) struct Warm {
    snapshot: Snapshot,
    file: PathBuf,
}

impl Warm {
    /// The snapshot that fits what is provisioned and the images it is provisioned in.
    pub(super) async fn of(
        docker: &Docker,
        deployment: &Deployment,
        images: &Images,
    ) -> Result<Self, StackError> {
        let mut hasher = DefaultHasher::new();
        provision::REVISION.hash(&mut hasher);
        described(deployment).hash(&mut hasher);
        docker.digest(&images.postgres).await.hash(&mut hasher);
        docker.digest(images.authentik.name().unwrap_or_default()).await.hash(&mut hasher);
        let (owner, key) = (owner(deployment)?, format!("{:016x}", hasher.finish()));
        let file = folder()?.join(format!("{owner}-{key}.json"));
        Ok(Self { snapshot: Snapshot::new(docker.clone(), owner, key), file })
    }

    /// Its image.
    pub(super) fn image(&self) -> String {
        self.snapshot.image()
    }

    /// The secrets of a snapshot that exists as a whole.
    pub(super) async fn kept(&self) -> Option<StackSecrets> {
        let stored: Stored = serde_json::from_str(&std::fs::read_to_string(&self.file).ok()?).ok()?;
        self.snapshot.exists().await.then(|| StackSecrets {
            secrets: stored.secrets.into(),
            secret_key: stored.secret_key.into(),
            postgres_password: stored.postgres_password.into(),
        })
    }

    /// Keeps the database.
    pub(super) async fn keep(&self, postgres: &Postgres, secrets: &StackSecrets) -> Result<(), StackError> {
        // Without it the old image is not used, should this process end before the new one is whole.
        let _ = std::fs::remove_file(&self.file);
        self.snapshot.keep(postgres).await?;
        let stored = Stored {
            secrets: secrets.secrets.keep(),
            secret_key: secrets.secret_key.expose_secret().to_owned(),
            postgres_password: secrets.postgres_password.expose_secret().to_owned(),
        };
        let text = serde_json::to_string(&stored).unwrap_or_default();
        write_private(&self.file, &text).map_err(|error| failed("the snapshot", &error))
    }
}

/// Whose snapshots those of a deployment are: its own, and of this user's state, which has their secrets.
fn owner(deployment: &Deployment) -> Result<String, StackError> {
    let mut hasher = DefaultHasher::new();
    state_folder()?.hash(&mut hasher);
    Ok(format!("{}-{:016x}", plain(&deployment.name), hasher.finish()))
}

fn folder() -> Result<PathBuf, StackError> {
    let folder = state_folder()?.join("snapshots");
    private_folder(&folder)?;
    Ok(folder)
}

/// Removes the snapshots of a deployment, with their secrets.
pub(crate) async fn forget(deployment: &Deployment) -> Result<(), StackError> {
    let (owner, folder) = (owner(deployment)?, folder()?);
    Docker::connect().await?.forget(&owner, None).await?;
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&owner) {
            std::fs::remove_file(entry.path()).map_err(|error| failed("the snapshots", &error))?;
        }
    }
    Ok(())
}
