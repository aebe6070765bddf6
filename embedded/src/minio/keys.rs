//! The keys that MinIO verifies tokens with: the provider's JWKS and the client secret.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// Why a JWK is none MinIO can use. One such key blocks the whole set (`truth/minio/12-jwk-shapes`).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyError {
    /// `kty` is neither RSA nor EC, and the key is no Ed25519 key that says so in `alg`.
    #[error("Unknown JWK key type {0}")]
    UnknownType(String),
    /// An RSA key without `n` or `e`, or with padded base64.
    #[error("malformed JWK RSA key")]
    MalformedRsa,
    /// An EC key without usable coordinates.
    #[error("malformed JWK EC key")]
    MalformedEc,
    /// An EC key on a curve MinIO does not know.
    #[error("Unknown curve type: {0}")]
    UnknownCurve(String),
}

/// A JWK as MinIO reads it: `use`, `x5c` and, but for Ed25519, `alg` are never looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Jwk {
    kty: String,
    kid: String,
    alg: String,
    crv: String,
    n: String,
    e: String,
    x: String,
    y: String,
}

/// A JWKS document.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Jwks {
    keys: Vec<Jwk>,
}

/// A key that verifies signatures.
#[derive(Clone)]
enum Key {
    Rsa(DecodingKey),
    /// On the curve that goes with this algorithm.
    Ec(Algorithm, DecodingKey),
    /// P-521: taken into the set as MinIO does, but no signature by it is verified here.
    P521,
    Ed25519(DecodingKey),
    /// The client secret, for HMAC.
    Secret(DecodingKey),
}

/// Why a signature does not stand, in the words of MinIO's JWT library.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SignatureError {
    /// The algorithm and the key do not belong together.
    #[error("key is of invalid type")]
    KeyType,
    /// An HMAC that does not fit.
    #[error("signature is invalid")]
    Hmac,
    /// An RSA signature that does not fit.
    #[error("crypto/rsa: verification error")]
    Rsa,
    /// An ECDSA signature that does not fit.
    #[error("crypto/ecdsa: verification error")]
    Ecdsa,
    /// An Ed25519 signature that does not fit.
    #[error("ed25519: verification error")]
    Ed25519,
    /// `alg` is `none`.
    #[error("'none' signature type is not allowed")]
    None,
    /// `alg` is unknown.
    #[error("signing method (alg) is unavailable.")]
    UnknownAlgorithm,
    /// ES512, which this model does not verify though MinIO does.
    #[error("the requested hash function is unavailable")]
    Unavailable,
}

/// Keys by `kid`. Keys are added and replaced, never purged while the process runs (`truth/minio/13-rotation`).
#[derive(Clone, Default)]
pub(super) struct Keys(HashMap<String, Key>);

impl Keys {
    /// The keys before any JWKS was read: the client secret, under the client id, for HS256 to HS512.
    pub(super) fn with_secret(client_id: &str, client_secret: &str) -> Self {
        let mut keys = Self::default();
        if !client_id.is_empty() {
            let secret = Key::Secret(DecodingKey::from_secret(client_secret.as_bytes()));
            keys.0.insert(client_id.to_owned(), secret);
        }
        keys
    }

    /// Adds the keys of `set` in their order, up to the first unusable one; the last of equal `kid`s wins.
    ///
    /// # Errors
    /// [`KeyError`] for the first unusable key; those before it stay added, as in MinIO
    /// (`truth/minio/31-old-console-1.7.6-sso`: `runtime_rotation_bad_last_2`).
    pub(super) fn add(&mut self, set: &Jwks) -> Result<(), KeyError> {
        for jwk in &set.keys {
            let key = jwk.key()?;
            self.0.insert(jwk.kid.clone(), key);
        }
        Ok(())
    }

    /// Whether a key goes by `kid`.
    pub(super) fn contains(&self, kid: &str) -> bool {
        self.0.contains_key(kid)
    }

    /// Verifies `signature` (base64url) over `message` with the key of `kid`.
    ///
    /// # Errors
    /// [`SignatureError`] when it does not stand; an absent key counts as one of the wrong type.
    pub(super) fn verify(
        &self,
        kid: &str,
        alg: &str,
        message: &[u8],
        signature: &str,
    ) -> Result<(), SignatureError> {
        let algorithm = match alg {
            "none" => return Err(SignatureError::None),
            "HS256" => Algorithm::HS256,
            "HS384" => Algorithm::HS384,
            "HS512" => Algorithm::HS512,
            "RS256" => Algorithm::RS256,
            "RS384" => Algorithm::RS384,
            "RS512" => Algorithm::RS512,
            "PS256" => Algorithm::PS256,
            "PS384" => Algorithm::PS384,
            "PS512" => Algorithm::PS512,
            "ES256" => Algorithm::ES256,
            "ES384" => Algorithm::ES384,
            "EdDSA" => Algorithm::EdDSA,
            "ES512" => return Err(self.es512(kid)),
            _ => return Err(SignatureError::UnknownAlgorithm),
        };
        let key = self.0.get(kid).ok_or(SignatureError::KeyType)?;
        let (decoding, broken) = match (key, algorithm) {
            (Key::Secret(key), Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) => {
                (key, SignatureError::Hmac)
            }
            (
                Key::Rsa(key),
                Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512,
            ) => (key, SignatureError::Rsa),
            (Key::Ec(curve, key), Algorithm::ES256 | Algorithm::ES384) if *curve == algorithm => {
                (key, SignatureError::Ecdsa)
            }
            (Key::Ec(..) | Key::P521, Algorithm::ES256 | Algorithm::ES384) => {
                return Err(SignatureError::Ecdsa);
            }
            (Key::Ed25519(key), Algorithm::EdDSA) => (key, SignatureError::Ed25519),
            _ => return Err(SignatureError::KeyType),
        };
        match jsonwebtoken::crypto::verify(signature, message, decoding, algorithm) {
            Ok(true) => Ok(()),
            _ => Err(broken),
        }
    }

    fn es512(&self, kid: &str) -> SignatureError {
        match self.0.get(kid) {
            Some(Key::P521) => SignatureError::Unavailable,
            Some(Key::Ec(..)) => SignatureError::Ecdsa,
            _ => SignatureError::KeyType,
        }
    }
}

impl Jwk {
    fn key(&self) -> Result<Key, KeyError> {
        match self.kty.as_str() {
            "RSA" => self.rsa(),
            "EC" => self.ec(),
            _ if self.alg == "EdDSA" && self.crv == "Ed25519" && !self.x.is_empty() => {
                DecodingKey::from_ed_components(&self.x)
                    .map(Key::Ed25519)
                    .map_err(|_| KeyError::UnknownType(self.kty.clone()))
            }
            other => Err(KeyError::UnknownType(other.to_owned())),
        }
    }

    fn rsa(&self) -> Result<Key, KeyError> {
        if self.n.is_empty() || self.e.is_empty() {
            return Err(KeyError::MalformedRsa);
        }
        DecodingKey::from_rsa_components(&self.n, &self.e).map(Key::Rsa).map_err(|_| KeyError::MalformedRsa)
    }

    fn ec(&self) -> Result<Key, KeyError> {
        let (algorithm, size) = match self.crv.as_str() {
            "P-256" => (Some(Algorithm::ES256), 32),
            "P-384" => (Some(Algorithm::ES384), 48),
            "P-521" => (None, 66),
            other => return Err(KeyError::UnknownCurve(other.to_owned())),
        };
        let (x, y) = (coordinate(&self.x, size)?, coordinate(&self.y, size)?);
        let Some(algorithm) = algorithm else { return Ok(Key::P521) };
        DecodingKey::from_ec_components(&x, &y)
            .map(|key| Key::Ec(algorithm, key))
            .map_err(|_| KeyError::MalformedEc)
    }
}

/// A coordinate at its full `size` in bytes, base64url: some providers leave leading zeros out.
fn coordinate(text: &str, size: usize) -> Result<String, KeyError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::MalformedEc)?;
    if bytes.is_empty() || bytes.len() > size {
        return Err(KeyError::MalformedEc);
    }
    let mut whole = vec![0; size - bytes.len()];
    whole.extend_from_slice(&bytes);
    Ok(URL_SAFE_NO_PAD.encode(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn added(keys: Value) -> (Keys, Result<(), KeyError>) {
        let set: Jwks = serde_json::from_value(json!({ "keys": keys })).unwrap();
        let mut known = Keys::default();
        let outcome = known.add(&set);
        (known, outcome)
    }

    fn rsa(kid: &str) -> Value {
        json!({ "kty": "RSA", "kid": kid, "n": "sXch_2Nb0A", "e": "AQAB" })
    }

    #[test]
    fn one_unusable_key_refuses_the_set_but_keeps_those_before_it() {
        let (keys, outcome) = added(json!([rsa("k1"), { "kty": "oct", "kid": "o", "k": "AAAA" }, rsa("k2")]));
        assert_eq!(outcome, Err(KeyError::UnknownType("oct".to_owned())));
        assert!(keys.contains("k1") && !keys.contains("k2"));
    }

    #[test]
    fn shapes_recorded_as_unusable_are_refused_in_the_same_words() {
        let cases = [
            (json!({ "kty": "RSA", "kid": "k1", "x5c": ["MII"] }), "malformed JWK RSA key"),
            (json!({ "kty": "RSA", "kid": "k1", "n": "0NWFI7T9NA==", "e": "AQAB" }), "malformed JWK RSA key"),
            (json!({ "alg": "EdDSA", "kid": "x" }), "Unknown JWK key type "),
            (json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "ed" }), "Unknown JWK key type OKP"),
            (json!({ "kty": "EC", "crv": "P-256", "kid": "e" }), "malformed JWK EC key"),
        ];
        for (key, words) in cases {
            assert_eq!(added(json!([key])).1.unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn key_without_kid_goes_by_the_empty_name() {
        let (keys, outcome) = added(json!([{ "kty": "RSA", "n": "sXch_2Nb0A", "e": "AQAB" }]));
        assert_eq!(outcome, Ok(()));
        assert!(keys.contains("") && !keys.contains("k1"));
    }
}
