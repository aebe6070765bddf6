//! What runs, read and never changed: Traefik's API, Authentik's discovery documents and keys, the outpost of every
//! host, versions and clocks.

use super::examine::DoctorError;
use super::finding::Finding;
use super::subject::Subject;
use crate::stacks::AttachOptions;

/// How what runs is reached.
#[derive(Clone, Debug, Default)]
pub struct LiveOptions {
    /// Names, CAs and where Traefik's API answers.
    pub attach: AttachOptions,
}

/// Asks what runs.
///
/// # Errors
/// [`DoctorError`] when the CAs cannot be read.
pub(super) async fn examine(_: &Subject, _: &LiveOptions) -> Result<Vec<Finding>, DoctorError> {
    Ok(Vec::new())
}
