//! Minio's settings.

use ssoproof_deployment::{Deployment, Source};

use super::settings::Settings;

/// Minio's settings.
#[derive(Clone, Debug)]
pub(super) struct MinioSettings;

impl MinioSettings {
    pub(super) fn of(_: Option<&Source>, _: &Deployment, _: Option<Settings>) -> Option<Self> {
        None
    }
}
