//! SSO-O10.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, Subject};

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
        let challenge =
            subject.ledger.hops.iter().filter(|hop| hop.request.url.path() == AUTHORIZE).find_map(|hop| {
                let mut pairs = hop.request.url.query_pairs();
                pairs.find(|(key, _)| key == "code_challenge").map(|(_, value)| value.into_owned())
            })?;
        let hop = subject.hops_at("/application/o/token/", 200).find(|hop| {
            let mut form = url::form_urlencoded::parse(&hop.request.body);
            let verifier = form.find(|(key, _)| key == "code_verifier").map(|(_, value)| value.into_owned());
            verifier.is_none_or(|verifier| {
                URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != challenge
            })
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("hop {} redeems a code without the verifier of its challenge", hop.index),
            pointer: None,
            help: "see that `code_challenge` reaches the authorize endpoint".to_owned(),
        })
    }
}
