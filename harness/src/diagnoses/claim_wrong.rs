//! SSO-K05.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// A claim has another value than promised.
pub(super) struct ClaimWrong;

impl Diagnosis for ClaimWrong {
    fn code(&self) -> &'static str {
        "SSO-K05"
    }

    fn explanation(&self) -> &'static str {
        "A claim has another value than promised\n\n\
         Clients identify users by `sub`, and decide by other claims: a provider's subject mode, a scope \
         mapping, or an upgrade (`email_verified` is false since 2025.10) changes what they get, and an app \
         may take everybody for somebody new.\n\
         Compare the provider's subject mode and scope mappings with what they were."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let finding = subject.findings.iter().map(|found| &found.finding);
        let subjects =
            subject.id_claims().filter_map(|claims| claims.get("sub")?.as_str().map(str::to_owned));
        let odd = subjects
            .into_iter()
            .find(|sub| sub.len() != 64 || !sub.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let title = match (odd, finding.into_iter().find(|finding| finding.check == "claims")) {
            (Some(odd), _) => {
                format!("`sub` is `{odd}`: the provider's subject mode is not the hashed user id")
            }
            (None, Some(finding)) => {
                format!("{} is {} where {} is promised", finding.what, finding.got, finding.expected)
            }
            (None, None) => return None,
        };
        Some(Diagnosed {
            code: self.code(),
            title,
            pointer: None,
            help: "compare the provider's subject mode and scope mappings with what they were".to_owned(),
        })
    }
}
