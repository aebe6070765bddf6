//! Grafana's settings.

use ssoproof_deployment::{Deployment, Source};

use super::settings::Settings;

/// Grafana's settings.
#[derive(Clone, Debug)]
pub(super) struct GrafanaSettings;

impl GrafanaSettings {
    pub(super) fn of(_: Option<&Source>, _: &Deployment, _: Option<Settings>) -> Option<Self> {
        None
    }
}
