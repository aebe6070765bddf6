//! SSO-G04.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Grafana refuses a login that the provider has let through.
pub(super) struct GrafanaRefuses;

impl Diagnosis for GrafanaRefuses {
    fn code(&self) -> &'static str {
        "SSO-G04"
    }

    fn explanation(&self) -> &'static str {
        "Grafana refuses a login that the provider has let through\n\n\
         After the provider has said who the user is, Grafana may still refuse: `role_attribute_strict` and \
         no role, `allow_sign_up` off and no account, `allowed_groups` or `allowed_domains`, an account of \
         the same name that is not linked.\n\
         Do what the words of the refusal say."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let line = subject.logged_by_grafana("login refused: ")?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("Grafana refuses the login: {}", line.trim_start_matches("login refused: ")),
            pointer: None,
            help: "see role_attribute_strict, allow_sign_up, allowed_groups and allowed_domains".to_owned(),
        })
    }
}
