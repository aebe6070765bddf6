//! `ssoproof init`: a deployment written down from what somebody already has: Traefik's files, and with a token what
//! Authentik's API tells. It is only read.

mod authentik;
mod draft;
mod files;
mod people;
mod relative;
mod render;
mod scalar;
mod trial;
mod write;

use std::path::PathBuf;

use secrecy::SecretString;
use ssoproof_deployment::Problem;
use url::Url;

pub use draft::Draft;
pub use write::{Written, write};

use crate::stacks::{AttachOptions, StackError};

/// What is given to `init`.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The folder of Traefik's file provider.
    pub traefik: PathBuf,
    /// The folder that `deployment.yaml` is written to.
    pub output: PathBuf,
    /// What people call the deployment; the folder's name when left out.
    pub name: Option<String>,
    /// Traefik's version; 3.6 when left out.
    pub traefik_version: Option<String>,
    /// Where Authentik's API answers, and how it is asked.
    pub authentik: Option<Api>,
}

/// The way to Authentik's API.
#[derive(Clone, Debug)]
pub struct Api {
    /// Authentik's URL.
    pub url: Url,
    /// A token of a user who may read.
    pub token: SecretString,
    /// Names and CAs.
    pub attach: AttachOptions,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// What is given cannot be used.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The embedded stack, on which the library is tried, did not start.
    #[error(transparent)]
    Stack(#[from] StackError),
}

/// Reads what there is, and tries the library on it.
///
/// # Errors
/// [`InitError::Problem`] when the files hold no deployment, or when Authentik's API does not answer as it should.
pub async fn draft(inputs: &Inputs) -> Result<Draft, InitError> {
    let mut draft = files::read(inputs)?;
    match &inputs.authentik {
        Some(api) => authentik::fill(&mut draft, api).await?,
        None => people::make_up(&mut draft),
    }
    trial::run(&mut draft).await?;
    Ok(draft)
}
