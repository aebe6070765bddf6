//! SSO-K04.

use serde_json::Value;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The groups claim is empty for a user who is in groups.
pub(super) struct GroupsEmpty;

impl Diagnosis for GroupsEmpty {
    fn code(&self) -> &'static str {
        "SSO-K04"
    }

    fn explanation(&self) -> &'static str {
        "The groups claim is empty for a user who is in groups\n\n\
         The mapping looks at another relation of the user (`ak_groups` until 2025.10, `groups` since), or \
         the groups were not synchronised yet when the user signed in.\n\
         See what the mapping gives in its preview, and whether it fits Authentik's version."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let people = subject
            .case
            .actors
            .iter()
            .filter_map(|actor| subject.deployment.personas.get(actor.persona.as_ref()?));
        let in_groups = people.into_iter().any(|persona| !persona.groups.is_empty());
        let empty = subject
            .id_claims()
            .any(|claims| claims.get("groups").and_then(Value::as_array).is_some_and(Vec::is_empty))
            || subject.role_trace().is_some_and(|line| line.contains("groups a list of 0"));
        (in_groups && empty).then(|| Diagnosed {
            code: self.code(),
            title: "the groups claim is an empty list for a user who is in groups".to_owned(),
            pointer: None,
            help: "see what the scope mapping gives in its preview, and whether it fits Authentik's version"
                .to_owned(),
        })
    }
}
