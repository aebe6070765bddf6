//! SSO-G03.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The expression's last arm hides the groups.
pub(super) struct UserinfoMasked;

impl Diagnosis for UserinfoMasked {
    fn code(&self) -> &'static str {
        "SSO-G03"
    }

    fn explanation(&self) -> &'static str {
        "The expression's last arm hides the groups\n\n\
         Grafana evaluates the id token first. Without groups in it the expression is an error, Grafana tries \
         it on an empty list, and a last arm such as `|| 'Viewer'` makes that a role: userinfo is never \
         asked, and everybody is a Viewer.\n\
         Put the groups into the id token (`profile` scope, \"include claims in id_token\"), or drop the last \
         arm and set `auto_assign_org_role`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let grafana = subject.deployment.apps.grafana.as_ref()?;
        let line = subject.role_trace().filter(|line| {
            line.contains("id_token: groups missing") && line.contains("userinfo: not asked")
        })?;
        // They are there by another name, and so they are in userinfo.
        if subject.groups_elsewhere().is_some() {
            return None;
        }
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the id token has no groups, and the expression gives a role all the same, so that userinfo is not asked: {}",
                line.split("; ").next().unwrap_or(line)
            ),
            pointer: subject.line(grafana.role_attribute_path.place),
            help: "put the groups into the id token, or drop the last arm of the expression".to_owned(),
        })
    }
}
