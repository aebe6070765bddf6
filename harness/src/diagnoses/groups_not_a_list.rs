//! SSO-K03.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// The groups claim is not a list of names.
pub(super) struct GroupsNotAList;

impl Diagnosis for GroupsNotAList {
    fn code(&self) -> &'static str {
        "SSO-K03"
    }

    fn explanation(&self) -> &'static str {
        "The groups claim is not a list of names\n\n\
         `contains(groups[*], …)` needs a list; of null it is an error, of a text `groups[*]` is null, and \
         `contains(groups, …)` of a text finds parts of names. MinIO takes a text for names parted by commas. \
         A scope mapping of one's own gives whatever its expression returns.\n\
         Return a list of names: `[group.name for group in request.user.groups.all()]`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let claim = subject
            .id_claims()
            .find_map(|claims| claims.get("groups").filter(|groups| !groups.is_array()).cloned());
        let line = subject.role_trace().filter(|line| {
            ["groups null", "groups a text", "groups text", "groups a string"]
                .iter()
                .any(|words| line.contains(words))
        });
        let got = match (claim, line) {
            (Some(claim), _) => format!("`{claim}`"),
            (None, Some(line)) => {
                line.split("; ").find(|part| part.contains("groups ")).unwrap_or(line).to_owned()
            }
            (None, None) => return None,
        };
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "the groups claim is no list of names: {}",
                got.chars().take(160).collect::<String>()
            ),
            pointer: None,
            help: "let the scope mapping return a list of names".to_owned(),
        })
    }
}
