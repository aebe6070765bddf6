//! SSO-G01.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Grafana's expression gives another role than promised.
pub(super) struct GrafanaExpression;

impl Diagnosis for GrafanaExpression {
    fn code(&self) -> &'static str {
        "SSO-G01"
    }

    fn explanation(&self) -> &'static str {
        "Grafana's role expression gives another role than promised\n\n\
         `a && 'X' || b && 'Y' || 'Z'` gives the first that holds: a user in two groups gets the role that stands \
         first. With groups missing from the id token the expression fails, is tried once more with an empty list, and \
         a tail such as `|| 'Viewer'` makes everybody a Viewer, strict or not.\n\
         Write the most powerful role first, and see that `groups` is in the id token."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let grafana = subject.deployment.apps.grafana.as_ref()?;
        let finding = subject.findings.iter().find(|found| found.finding.check == "role")?;
        let persona = subject.case.actors.iter().find_map(|actor| {
            let name = actor.persona.as_ref()?;
            subject.deployment.personas.get(name)
        })?;
        let groups: Vec<&str> = persona.groups.iter().map(|group| group.as_str()).collect();
        let got = &finding.finding.got;
        if got == "none" {
            return None;
        }
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "Grafana's expression gives `{got}` to a user in [{}], where `{}` is promised",
                groups.join(", "),
                finding.finding.expected
            ),
            pointer: subject.line(grafana.role_attribute_path.place),
            help: "the first part that holds wins: write the most powerful role first".to_owned(),
        })
    }
}
