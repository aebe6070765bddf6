//! Proof key for code exchange, at authorize and at the token endpoint (truth: `43-*`, `44-oidc-token-variants`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// How the verifier becomes the challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub(crate) enum Method {
    /// The verifier itself.
    Plain,
    /// The base64url of its SHA-256.
    S256,
}

impl Method {
    /// The method of a `code_challenge_method`; none for an unknown one.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "plain" => Some(Self::Plain),
            "S256" => Some(Self::S256),
            _ => None,
        }
    }
}

/// The challenge an authorization code is bound to.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
pub(crate) struct Challenge {
    /// The value of `code_challenge`.
    pub(crate) value: String,
    /// How a verifier is turned into it.
    pub(crate) method: Method,
}

/// Whether `verifier` opens a code bound to `challenge`. A verifier for a code without a challenge is refused too,
/// as is a missing one for a code that has it.
pub(crate) fn opens(challenge: Option<&Challenge>, verifier: &str) -> bool {
    let Some(challenge) = challenge else { return verifier.is_empty() };
    match challenge.method {
        _ if verifier.is_empty() => false,
        Method::Plain => challenge.value == verifier,
        Method::S256 => challenge.value == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s256_verifier_of_rfc_7636_opens_its_code_only() {
        let value = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned();
        let challenge = Challenge { value, method: Method::S256 };
        assert!(opens(Some(&challenge), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!opens(Some(&challenge), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
        assert!(!opens(Some(&challenge), ""));
    }

    #[test]
    fn plain_compares_and_a_verifier_without_challenge_is_refused() {
        let challenge = Challenge { value: "abc".to_owned(), method: Method::Plain };
        assert!(opens(Some(&challenge), "abc"));
        assert!(!opens(Some(&challenge), "abd"));
        assert!(!opens(None, "abc"));
        assert!(opens(None, ""));
        assert_eq!(Method::parse("S999"), None);
    }
}
