//! SSO-H02.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Groups are parted otherwise than the deployment says.
pub(super) struct GroupsSeparator;

impl Diagnosis for GroupsSeparator {
    fn code(&self) -> &'static str {
        "SSO-H02"
    }

    fn explanation(&self) -> &'static str {
        "Groups are parted by another sign than expected\n\n\
         Authentik writes all groups into one header, parted by `|`. A service that splits at commas sees one group \
         with a strange name, and gives its users no rights. A group name may hold either sign; it is not escaped.\n\
         Split at `|` in the service, and keep that sign out of group names."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let stated = &subject.deployment.headers.group_separator;
        let got = subject.findings.iter().find_map(|found| {
            let finding = &found.finding;
            (finding.what.eq_ignore_ascii_case("header x-authentik-groups")
                && finding.expected.starts_with("the set"))
            .then(|| finding.got.trim_matches('`').to_owned())
        })?;
        let sign =
            ["|", ",", ";", " "].into_iter().find(|sign| *sign != stated.as_str() && got.contains(sign))?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("groups arrive parted by `{sign}`, the deployment states `{}`", **stated),
            pointer: subject.line(stated.place),
            help: format!("state `{sign}`, and have services split there"),
        })
    }
}
