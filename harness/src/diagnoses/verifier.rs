//! SSO-O10.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, Subject, TOKEN};
use crate::evidence::parameter;

/// The token endpoint does not check the PKCE verifier.
pub(super) struct Verifier;

impl Diagnosis for Verifier {
    fn code(&self) -> &'static str {
        "SSO-O10"
    }

    fn explanation(&self) -> &'static str {
        "The token endpoint does not check the PKCE verifier\n\n\
         Whoever steals a code can redeem it. The challenge of the authorize request was lost on the way, or \
         the provider does not keep it.\n\
         See that `code_challenge` reaches the authorize endpoint."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.hops_at(TOKEN, 200).find(|hop| {
            let before = subject.ledger.hops.iter().rev().filter(|asked| asked.index < hop.index);
            // The one after a login page is of Authentik's making.
            let mut asked = before.filter(|asked| asked.request.url.path() == AUTHORIZE);
            let challenge = asked.find_map(|asked| parameter(&asked.request.url, "code_challenge"));
            let mut form = url::form_urlencoded::parse(&hop.request.body);
            let verifier = form.find(|(key, _)| key == "code_verifier").map(|(_, value)| value.into_owned());
            let fits = |challenge: &String| {
                let digest = verifier.as_ref().map(|verifier| Sha256::digest(verifier.as_bytes()));
                digest.is_some_and(|digest| URL_SAFE_NO_PAD.encode(digest) == *challenge)
            };
            challenge.is_some_and(|challenge| !fits(&challenge))
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("hop {} redeems a code without the verifier of its challenge", hop.number()),
            pointer: None,
            help: "see that `code_challenge` reaches the authorize endpoint".to_owned(),
        })
    }
}
