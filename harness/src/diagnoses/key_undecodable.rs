//! SSO-J02.

use super::subject::{Diagnosed, Diagnosis, Subject};

/// One key of the key set cannot be read, and the whole set is refused.
pub(super) struct KeyUndecodable;

impl Diagnosis for KeyUndecodable {
    fn code(&self) -> &'static str {
        "SSO-J02"
    }

    fn explanation(&self) -> &'static str {
        "One key of the key set cannot be read, and the whole set is refused\n\n\
         MinIO stops at the first key it cannot decode (kinds other than RSA and EC, an encryption key among \
         them) and has no keys at all then: every login fails, with words that name another key.\n\
         Take the key out of the set: give the provider no encryption key, and a signing key of RSA or EC."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let (hop, kid, kty) =
            subject.ledger.hops.iter().filter(|hop| hop.request.url.path().ends_with("/jwks/")).find_map(
                |hop| {
                    let set = hop.response()?.json()?;
                    let odd = set["keys"]
                        .as_array()?
                        .iter()
                        .find(|key| !matches!(key["kty"].as_str(), Some("RSA" | "EC")))?;
                    let text = |name: &str| odd[name].as_str().unwrap_or_default().to_owned();
                    Some((hop, text("kid"), text("kty")))
                },
            )?;
        Some(Diagnosed {
            code: self.code(),
            title: format!(
                "key `{kid}` of the set (hop {}) is of kind {kty}, which MinIO cannot read: it drops the whole set",
                hop.number()
            ),
            pointer: None,
            help: "give the provider no encryption key, and a signing key of RSA or EC".to_owned(),
        })
    }
}
