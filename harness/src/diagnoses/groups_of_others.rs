//! SSO-K06.

use std::collections::BTreeSet;

use serde_json::Value;

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A token lists groups that the user is not in.
pub(super) struct GroupsOfOthers;

impl Diagnosis for GroupsOfOthers {
    fn code(&self) -> &'static str {
        "SSO-K06"
    }

    fn explanation(&self) -> &'static str {
        "A token lists groups that the user is not in\n\n\
         Apps give rights by the groups claim, and believe it. A scope mapping that lists groups by hand, or all groups \
         there are instead of the user's, makes everybody an administrator of every app that uses it.\n\
         Let the mapping give the user's own groups: `[group.name for group in request.user.all_groups()]`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        // Who is in which group is no longer what the deployment says.
        if subject.case.says("admin") {
            return None;
        }
        let people = &subject.deployment.personas;
        let known: BTreeSet<&str> = subject.deployment.groups.iter().map(|group| group.as_str()).collect();
        let (user, more) = subject.id_claims().find_map(|claims| {
            let user = claims.get("preferred_username")?.as_str()?.to_owned();
            let persona = people.values().find(|persona| persona.username.value == user)?;
            let own: BTreeSet<&str> = persona.groups.iter().map(|group| group.as_str()).collect();
            let listed = claims.get("groups")?.as_array()?.iter().filter_map(Value::as_str);
            // What other groups there are, and who is in them, the deployment does not say.
            let more: Vec<&str> =
                listed.filter(|group| known.contains(group) && !own.contains(group)).collect();
            (!more.is_empty()).then(|| (user, more.join("`, `")))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("the token of {user} lists groups that the user is not in: `{more}`"),
            pointer: None,
            help: "let the scope mapping give the user's own groups".to_owned(),
        })
    }
}
