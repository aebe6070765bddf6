//! SSO-A01.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Somebody gets in who should not, or does not who should.
pub(super) struct Access;

impl Diagnosis for Access {
    fn code(&self) -> &'static str {
        "SSO-A01"
    }

    fn explanation(&self) -> &'static str {
        "Somebody gets in who should not, or does not who should\n\n\
         Authentik lets everybody use an application that has no policy binding. Bindings are met by any of \
         them unless the engine mode is `all`; a negated one turns the group's members away; a binding of a \
         child group does not let the parent's members in.\n\
         Compare the application's bindings with the groups that the deployment allows."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.finding(|finding| {
            let denied = "the page that refuses the user";
            (finding.expected == denied && finding.got.contains("service"))
                || finding.got == denied
                || (finding.got.contains("the page that refuses"))
        })?;
        let services: Vec<&str> = subject.services().into_iter().map(|(slug, ..)| slug).collect();
        let people: Vec<&str> =
            subject.case.actors.iter().filter_map(|actor| actor.persona.as_deref()).collect();
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "`{}` at `{}`: {} where {} is promised",
                people.join(", "),
                services.join(", "),
                finding.got,
                finding.expected
            ),
            pointer: None,
            help: "compare the application's policy bindings with the groups that the deployment allows"
                .to_owned(),
        })
    }
}
