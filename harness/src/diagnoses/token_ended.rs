//! SSO-K02.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// Tokens have expired when they arrive.
pub(super) struct TokenEnded;

impl Diagnosis for TokenEnded {
    fn code(&self) -> &'static str {
        "SSO-K02"
    }

    fn explanation(&self) -> &'static str {
        "Tokens have expired when they arrive\n\n\
         The clocks of Authentik and of the app differ, or the provider's token validity is shorter than a \
         login takes.\n\
         Compare the clocks; set the provider's access token validity to minutes at least."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let said = ["token is expired", "Token is expired", "ExpiredSignature"]
            .into_iter()
            .find_map(|words| subject.said(words))?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "a token has expired when it arrives: {}",
                said.chars().take(160).collect::<String>()
            ),
            pointer: None,
            help: "compare the clocks, and see the provider's access token validity".to_owned(),
        })
    }
}
