//! SSO-J01.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// No key of the key set fits the token.
pub(super) struct KeyUnknown;

impl Diagnosis for KeyUnknown {
    fn code(&self) -> &'static str {
        "SSO-J01"
    }

    fn explanation(&self) -> &'static str {
        "No key of the key set fits the token\n\n\
         Clients look the token's `kid` up in the key set. After a rotation a cache may hold the old set; an \
         empty set is that of a provider without a signing key; the same `kid` with another key is a copy of \
         another instance.\n\
         Compare the token's `kid` with `/application/o/<slug>/jwks/` as the client gets it."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let signature = subject.finding(|finding| finding.check == "signature");
        let words = ["No public key found for kid", "crypto/rsa: verification error", "signature is invalid"];
        let said = words.into_iter().find_map(|words| subject.said(words));
        let signature = signature.filter(|_| subject.id_claims().next().is_some());
        let got = signature.map(|finding| finding.got.clone()).or(said)?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("no key of the key set fits the token: {got}"),
            pointer: None,
            help: "compare the token's `kid` with the key set as the client gets it".to_owned(),
        })
    }
}
