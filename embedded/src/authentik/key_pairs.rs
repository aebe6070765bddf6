//! Certificate-key pairs: RSA from a small shipped pool, P-256 made on the spot.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rcgen::{CertificateParams, DnType, KeyPair as Certified, PKCS_ECDSA_P256_SHA256};
use rsa::pkcs8::DecodePrivateKey as _;
use uuid::Uuid;

use super::model::KeyPair;
use super::oauth2::keys::{KeyError, SigningKey, long_kid, short_kid};
use super::profile::Profile;

/// The RSA keys that `generate/` hands out in turn: making a prime takes longer than a whole test. They have
/// 2,048 bits where a real one makes 4,096, which no client can tell by its answers and every signature can.
const POOL: [&str; 5] = [
    include_str!("keys/rsa-1.pem"),
    include_str!("keys/rsa-2.pem"),
    include_str!("keys/rsa-3.pem"),
    include_str!("keys/rsa-4.pem"),
    include_str!("keys/rsa-5.pem"),
];

/// The pool's keys, parsed when first used.
static PARSED: [LazyLock<Option<rsa::RsaPrivateKey>>; POOL.len()] = [
    LazyLock::new(|| rsa::RsaPrivateKey::from_pkcs8_pem(POOL[0]).ok()),
    LazyLock::new(|| rsa::RsaPrivateKey::from_pkcs8_pem(POOL[1]).ok()),
    LazyLock::new(|| rsa::RsaPrivateKey::from_pkcs8_pem(POOL[2]).ok()),
    LazyLock::new(|| rsa::RsaPrivateKey::from_pkcs8_pem(POOL[3]).ok()),
    LazyLock::new(|| rsa::RsaPrivateKey::from_pkcs8_pem(POOL[4]).ok()),
];

/// The pool's next key: the first belongs to the self-signed certificate of a fresh database.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// Why a pair was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PairError {
    /// The certificate could not be made.
    #[error("failed to make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The private key does not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// What a pair is made for.
pub(crate) struct Request<'a> {
    pub(crate) name: &'a str,
    /// Names besides the common name, comma-separated.
    pub(crate) alternative_names: &'a str,
    /// How long the certificate is valid, in days.
    pub(crate) days: i64,
}

/// The pair of a fresh database, always with the same key.
pub(crate) fn self_signed(profile: &Profile) -> Result<KeyPair, PairError> {
    let request = Request { name: "authentik Self-signed Certificate", alternative_names: "", days: 365 };
    rsa_from_pool(0, &request, profile)
}

/// A pair with the pool's next RSA key.
pub(crate) fn generate_rsa(request: &Request<'_>, profile: &Profile) -> Result<KeyPair, PairError> {
    let turn = NEXT.fetch_add(1, Ordering::Relaxed);
    rsa_from_pool(1 + turn % (POOL.len() - 1), request, profile)
}

fn rsa_from_pool(index: usize, request: &Request<'_>, profile: &Profile) -> Result<KeyPair, PairError> {
    let pem = POOL[index];
    let private = PARSED[index].clone().ok_or(KeyError::Unusable)?;
    let signing = SigningKey::rsa(private, kid(pem, profile));
    certified(request, &Certified::from_pem(pem)?, pem, signing)
}

/// A pair with a fresh P-256 key.
pub(crate) fn generate_ec(request: &Request<'_>, profile: &Profile) -> Result<KeyPair, PairError> {
    let key = Certified::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let pem = key.serialize_pem();
    let signing = SigningKey::from_pem(&pem, kid(&pem, profile))?;
    certified(request, &key, &pem, signing)
}

/// A pair brought from elsewhere; [`KeyPair::unusable`] tells whether its key signs. The end of its certificate's
/// validity is not read; ten years are shown.
pub(crate) fn import(name: &str, certificate: &str, private_key: &str, profile: &Profile) -> KeyPair {
    let signing = SigningKey::from_pem(private_key, kid(private_key, profile));
    let signing = signing.unwrap_or_else(|_| SigningKey::Secret(Vec::new()));
    pair(name, certificate.to_owned(), private_key, signing, end_after(3_650))
}

impl KeyPair {
    /// Whether its private key is neither RSA nor P-256, so that it signs nothing.
    pub(crate) fn unusable(&self) -> bool {
        matches!(*self.signing, SigningKey::Secret(_))
    }
}

fn certified(
    request: &Request<'_>,
    key: &Certified,
    pem: &str,
    signing: SigningKey,
) -> Result<KeyPair, PairError> {
    let names = request.alternative_names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut params = CertificateParams::new(names.map(str::to_owned).collect::<Vec<_>>())?;
    for (kind, value) in [
        (DnType::OrganizationalUnitName, "Self-signed"),
        (DnType::OrganizationName, "authentik"),
        (DnType::CommonName, request.name),
    ] {
        params.distinguished_name.push(kind, value);
    }
    let not_after = end_after(request.days);
    let date = not_after.to_zoned(TimeZone::UTC).date();
    let month = u8::try_from(date.month()).unwrap_or(12);
    let day = u8::try_from(date.day()).unwrap_or(28);
    params.not_after = rcgen::date_time_ymd(i32::from(date.year()), month, day);
    let certificate = params.self_signed(key)?.pem();
    Ok(pair(request.name, certificate, pem, signing, not_after))
}

fn pair(name: &str, certificate: String, pem: &str, signing: SigningKey, not_after: Timestamp) -> KeyPair {
    KeyPair {
        pk: Uuid::new_v4(),
        name: name.to_owned(),
        managed: None,
        certificate,
        private_key: pem.to_owned(),
        signing: Arc::new(signing),
        not_after,
    }
}

/// The start of the day `days` from now; an unreasonable number gives ten years.
fn end_after(days: i64) -> Timestamp {
    let days = if (1..=36_500).contains(&days) { days } else { 3_650 };
    let now = Timestamp::now();
    let end = now.to_zoned(TimeZone::UTC).checked_add(days.days());
    end.and_then(|end| end.start_of_day()).map_or(now, |end| end.timestamp())
}

fn kid(pem: &str, profile: &Profile) -> String {
    if profile.long_kid { long_kid(pem) } else { short_kid(pem) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_rsa_pairs_differ_and_carry_their_certificate() {
        let request = Request { name: "oidc-signing", alternative_names: "auth.spacemusic.tv", days: 3_650 };
        let first = generate_rsa(&request, &Profile::V2026_2).expect("pair");
        let second = generate_rsa(&request, &Profile::V2026_2).expect("pair");
        assert_ne!(first.private_key, second.private_key);
        let jwk = first.signing.jwk(Some(&first.certificate)).expect("jwk");
        assert_eq!((jwk["alg"].as_str(), jwk["kid"].as_str().map(str::len)), (Some("RS256"), Some(86)));
        assert!(jwk["x5c"][0].as_str().is_some_and(|der| der.len() > 800));
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        assert!(import("bad", "", "-----BEGIN X-----", &Profile::V2026_2).unusable());
        assert!(!import("good", "", POOL[0], &Profile::V2026_2).unusable());
    }
}
