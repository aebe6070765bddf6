//! Signing keys of providers and their public half as a JWK (truth: `40-oidc-discovery-jwks`, `41-*-nokey`).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::DecodePrivateKey as _;
use ring::rand::SystemRandom;
use ring::signature::RSA_PKCS1_SHA256;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use crate::digest::{hex, hmac_sha256, hmac_sha256_fits, sha1};

/// The DER `DigestInfo` prefix of a SHA-256 digest in a PKCS #1 v1.5 signature (RFC 8017, 9.2).
const SHA256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// Why a key pair does not sign.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// The PEM holds neither an RSA nor a P-256 private key in PKCS #8 or PKCS #1.
    #[error("no RSA or P-256 private key in the key data")]
    Unusable,
    /// The RSA key is too small for a SHA-256 signature, or inconsistent.
    #[error("failed to sign: {0}")]
    Rsa(#[from] rsa::Error),
}

/// What a provider signs its tokens with.
pub(crate) enum SigningKey {
    /// RS256 with an RSA key pair.
    Rsa {
        /// The key id of the token header and the JWK.
        kid: String,
        /// The private half.
        private: Box<rsa::RsaPrivateKey>,
        /// The same, where it is signed with: several times faster. None for a key of less than 2048 bits.
        signer: Option<Box<ring::rsa::KeyPair>>,
    },
    /// ES256 with a P-256 key pair.
    Ec {
        /// The key id of the token header and the JWK.
        kid: String,
        /// The private half.
        private: Box<p256::ecdsa::SigningKey>,
    },
    /// HS256 with the client secret: a provider whose `signing_key` is null. No `kid`, no JWK.
    Secret(Vec<u8>),
}

impl SigningKey {
    /// The key of a certificate-key pair's `key_data`, known by `kid`.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] for anything but an RSA or P-256 key in PEM.
    pub(crate) fn from_pem(pem: &str, kid: String) -> Result<Self, KeyError> {
        use rsa::pkcs1::DecodeRsaPrivateKey as _;
        if let Ok(private) =
            rsa::RsaPrivateKey::from_pkcs8_pem(pem).or_else(|_| rsa::RsaPrivateKey::from_pkcs1_pem(pem))
        {
            return Ok(Self::rsa(private, kid));
        }
        match p256::ecdsa::SigningKey::from_pkcs8_pem(pem) {
            Ok(private) => Ok(Self::Ec { kid, private: Box::new(private) }),
            Err(_) => Err(KeyError::Unusable),
        }
    }

    /// An RSA key, known by `kid`.
    pub(crate) fn rsa(private: rsa::RsaPrivateKey, kid: String) -> Self {
        let der = private.to_pkcs1_der().ok();
        let signer = der.and_then(|der| ring::rsa::KeyPair::from_der(der.as_bytes()).ok());
        Self::Rsa { kid, private: Box::new(private), signer: signer.map(Box::new) }
    }

    /// The key of a provider without a certificate-key pair.
    pub(crate) fn from_client_secret(secret: &str) -> Self {
        Self::Secret(secret.as_bytes().to_vec())
    }

    /// Its key id; a secret has none.
    pub(crate) fn kid(&self) -> Option<&str> {
        match self {
            Self::Rsa { kid, .. } | Self::Ec { kid, .. } => Some(kid),
            Self::Secret(_) => None,
        }
    }

    /// Its kind as the API names it; a key that signs nothing counts as RSA.
    pub(crate) fn key_type(&self) -> &'static str {
        if matches!(self, Self::Ec { .. }) { "ec" } else { "rsa" }
    }

    /// The `alg` of its tokens and of discovery's `id_token_signing_alg_values_supported`.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RS256",
            Self::Ec { .. } => "ES256",
            Self::Secret(_) => "HS256",
        }
    }

    /// A compact JWT over `claims`, header members in the order recorded: `alg`, `kid`, `typ`.
    ///
    /// # Errors
    /// [`KeyError::Rsa`] when the RSA key cannot carry a SHA-256 signature.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Result<String, KeyError> {
        let header = match self {
            Self::Rsa { kid, .. } | Self::Ec { kid, .. } => {
                json!({ "alg": self.algorithm(), "kid": kid, "typ": "JWT" })
            }
            Self::Secret(_) => json!({ "alg": self.algorithm(), "typ": "JWT" }),
        };
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(Value::Object(claims.clone()).to_string()));
        let signature = match self {
            Self::Rsa { signer: Some(signer), .. } => {
                let mut signature = vec![0; signer.public().modulus_len()];
                signer
                    .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
                    .map_err(|_| KeyError::Unusable)?;
                signature
            }
            Self::Rsa { private, .. } => {
                let scheme = rsa::Pkcs1v15Sign { hash_len: Some(32), prefix: Box::new(SHA256_PREFIX) };
                private.sign(scheme, &Sha256::digest(token.as_bytes()))?
            }
            Self::Ec { private, .. } => {
                let signature: p256::ecdsa::Signature = private.sign(token.as_bytes());
                signature.to_bytes().to_vec()
            }
            Self::Secret(secret) => hmac_sha256(secret, token.as_bytes()).as_ref().to_vec(),
        };
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token)
    }

    /// The public key as the JWKS lists it, with the certificate's chain; none for a client secret.
    pub(crate) fn jwk(&self, certificate: Option<&str>) -> Option<Value> {
        let mut jwk = match self {
            Self::Rsa { kid, private, .. } => json!({
                "alg": "RS256", "kid": kid, "kty": "RSA", "use": "sig",
                "n": URL_SAFE_NO_PAD.encode(private.n().to_bytes_be()),
                "e": URL_SAFE_NO_PAD.encode(private.e().to_bytes_be()),
            }),
            Self::Ec { kid, private } => {
                let point = private.verifying_key().to_encoded_point(false);
                json!({
                    "alg": "ES256", "kid": kid, "kty": "EC", "use": "sig", "crv": "P-256",
                    "x": URL_SAFE_NO_PAD.encode(point.x()?),
                    "y": URL_SAFE_NO_PAD.encode(point.y()?),
                })
            }
            Self::Secret(_) => return None,
        };
        if let Some(der) = certificate.and_then(pem_to_der) {
            jwk["x5c"] = json!([STANDARD.encode(&der)]);
            jwk["x5t"] = json!(URL_SAFE_NO_PAD.encode(sha1(&der)));
            jwk["x5t#S256"] = json!(URL_SAFE_NO_PAD.encode(Sha256::digest(&der)));
        }
        Some(jwk)
    }
}

/// The 86-character key id of 2026.2: the SHA-512 of the key data, base64url.
pub(crate) fn long_kid(key_data: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha512::digest(key_data.as_bytes()))
}

/// The 32 hex digits that 2025.x shows as key id; the real ones are an MD5 of the key data, here a cut SHA-256.
pub(crate) fn short_kid(key_data: &str) -> String {
    let mut kid = hex(&Sha256::digest(key_data.as_bytes()));
    kid.truncate(32);
    kid
}

/// The payload of an HS256 token whose signature `secret` made; none for any other bytes.
pub(crate) fn verify_hs256(token: &str, secret: &[u8]) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    hmac_sha256_fits(secret, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).then_some(())?;
    (header["alg"] == "HS256").then_some(())?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// The bytes of the first certificate of a PEM text.
fn pem_to_der(pem: &str) -> Option<Vec<u8>> {
    let body = pem.split("-----BEGIN CERTIFICATE-----").nth(1)?.split("-----END CERTIFICATE-----").next()?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

    fn claims() -> Map<String, Value> {
        json!({ "iss": "https://auth/application/o/x/", "sub": "s" }).as_object().cloned().unwrap_or_default()
    }

    fn validation(algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation
    }

    #[test]
    fn es256_token_verifies_with_its_own_jwk() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("key pair");
        let pem = pair.serialize_pem();
        let key = SigningKey::from_pem(&pem, long_kid(&pem)).expect("signing key");
        let token = key.sign(&claims()).expect("token");
        let jwk = key.jwk(None).expect("jwk");
        let (x, y) = (jwk["x"].as_str().expect("x"), jwk["y"].as_str().expect("y"));
        let public = DecodingKey::from_ec_components(x, y).expect("public key");
        let seen = decode::<Value>(&token, &public, &validation(Algorithm::ES256)).expect("valid signature");
        assert_eq!(seen.header.kid.as_deref().map(str::len), Some(86));
        assert_eq!(seen.claims["sub"], "s");
    }

    #[test]
    fn rs256_token_verifies_with_its_own_jwk() {
        use rsa::pkcs8::EncodePrivateKey as _;
        struct Random;
        impl rsa::rand_core::RngCore for Random {
            fn next_u32(&mut self) -> u32 {
                rand::random()
            }
            fn next_u64(&mut self) -> u64 {
                rand::random()
            }
            fn fill_bytes(&mut self, bytes: &mut [u8]) {
                rand::fill(bytes);
            }
            fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
                rand::fill(bytes);
                Ok(())
            }
        }
        impl rsa::rand_core::CryptoRng for Random {}
        let pem = rsa::RsaPrivateKey::new(&mut Random, 1024)
            .expect("key")
            .to_pkcs8_pem(rsa::pkcs8::LineEnding::LF)
            .expect("pem")
            .to_string();
        let key = SigningKey::from_pem(&pem, long_kid(&pem)).expect("signing key");
        let jwk = key.jwk(None).expect("jwk");
        assert_eq!(jwk["e"], "AQAB");
        let (n, e) = (jwk["n"].as_str().expect("n"), jwk["e"].as_str().expect("e"));
        let public = DecodingKey::from_rsa_components(n, e).expect("public key");
        let token = key.sign(&claims()).expect("token");
        decode::<Value>(&token, &public, &validation(Algorithm::RS256)).expect("valid signature");
    }

    #[test]
    fn without_a_key_pair_tokens_are_hs256_without_kid_and_no_jwk_exists() {
        let key = SigningKey::from_client_secret("nokey-client-secret-0123456789abcdef");
        let token = key.sign(&claims()).expect("token");
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap_or_default()).expect("base64url");
        assert_eq!(header, br#"{"alg":"HS256","typ":"JWT"}"#);
        assert!(key.jwk(None).is_none());
        assert!(verify_hs256(&token, b"nokey-client-secret-0123456789abcdef").is_some());
        assert!(verify_hs256(&token, b"another").is_none());
        assert!(verify_hs256("a.b", b"").is_none());
    }

    #[test]
    fn text_that_is_no_key_is_refused() {
        assert!(matches!(SigningKey::from_pem("-----BEGIN X-----", String::new()), Err(KeyError::Unusable)));
    }
}
