//! A web identity token as MinIO validates it: shape, key, signature, times, audience. Never the issuer.
//!
//! The words and their order follow `truth/minio/10-algs` and `11-claims`: a bad signature hides a bad time, of
//! the bad times the last of `exp`, `iat`, `nbf` is told, and there is no leeway.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::go;
use super::keys::{Keys, SignatureError};

/// Why a token is not accepted. The words are those of MinIO and its JWT library.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// Not three segments: garbage, or a JWE (an encryption key is set at the provider).
    #[error("token contains an invalid number of segments")]
    Segments,
    /// A segment that is no base64url.
    #[error("illegal base64 data at input byte {0}")]
    Base64(usize),
    /// A segment that is no JSON object.
    #[error("{0}")]
    Json(String),
    /// The header has no `kid`, or one that is no string: what Authentik signs without a signing key.
    #[error("Invalid kid value {0}")]
    InvalidKid(String),
    /// No key goes by the `kid`.
    #[error("No public key found for kid {0}")]
    UnknownKid(String),
    /// The signature does not stand.
    #[error("{0}")]
    Signature(#[from] SignatureError),
    /// `exp` is past, or no number.
    #[error("Token is expired")]
    Expired,
    /// `iat` is in the future, or no number.
    #[error("Token used before issued")]
    UsedBeforeIssued,
    /// `nbf` is in the future, or no number.
    #[error("Token is not valid yet")]
    NotValidYet,
    /// `aud` is absent or neither string nor list.
    #[error("STS JWT Token has `aud` claim invalid, `aud` must match configured OpenID Client ID")]
    Audience,
    /// `aud` names others and `azp` is not the client either.
    #[error("STS JWT Token has `azp` claim invalid, `azp` must match configured OpenID Client ID")]
    AuthorizedParty,
}

/// Algorithms of the first, strict parse. What is outside is accepted too, but only after the JWKS was fetched
/// again (`truth/minio/10-algs`: `alg_PS256`, `alg_EdDSA`).
const STRICT: [&str; 9] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "HS256", "HS384", "HS512"];

/// Whether MinIO accepts the algorithm of `token` without another look at the JWKS.
pub(super) fn strictly_accepted(token: &str) -> bool {
    let header = token.split('.').next().and_then(|segment| object(segment).ok());
    header.is_some_and(|header| {
        header.get("alg").and_then(Value::as_str).is_some_and(|alg| STRICT.contains(&alg))
    })
}

/// Verifies `token` with `keys` at `now` (seconds since 1970) and gives its claims.
///
/// # Errors
/// [`TokenError`]; the audience is not yet looked at, see [`audience`].
pub(super) fn verify(token: &str, keys: &Keys, now: f64) -> Result<Map<String, Value>, TokenError> {
    let segments: Vec<&str> = token.splitn(4, '.').collect();
    let [header, payload, signature] = segments[..] else { return Err(TokenError::Segments) };
    let head = object(header)?;
    let claims = object(payload)?;
    let alg = head.get("alg").and_then(Value::as_str).unwrap_or_default();
    let kid = match head.get("kid") {
        Some(Value::String(kid)) => kid,
        other => return Err(TokenError::InvalidKid(go::value(other.unwrap_or(&Value::Null)))),
    };
    if !keys.contains(kid) {
        return Err(TokenError::UnknownKid(kid.clone()));
    }
    decode(signature)?;
    let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
    keys.verify(kid, alg, signed, signature)?;
    times(&claims, now)?;
    Ok(claims)
}

fn times(claims: &Map<String, Value>, now: f64) -> Result<(), TokenError> {
    // Absent or zero passes here; a token without `exp` fails later, when credentials are made.
    let holds = |claim: &str, holds: fn(f64, f64) -> bool| match claims.get(claim) {
        None => true,
        Some(value) => value.as_f64().is_some_and(|time| time == 0.0 || holds(now, time)),
    };
    if !holds("nbf", |now, time| now >= time) {
        return Err(TokenError::NotValidYet);
    }
    if !holds("iat", |now, time| now >= time) {
        return Err(TokenError::UsedBeforeIssued);
    }
    if !holds("exp", |now, time| now < time) {
        return Err(TokenError::Expired);
    }
    Ok(())
}

/// Whether `client_id` is among `aud` (a comma-separated string counts as a list), or else is `azp`.
///
/// # Errors
/// [`TokenError::Audience`] or [`TokenError::AuthorizedParty`].
pub(super) fn audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), TokenError> {
    let audiences = super::claims::names(claims, "aud").map_err(|_| TokenError::Audience)?;
    let party = claims.get("azp").and_then(Value::as_str);
    if audiences.contains(client_id) || party == Some(client_id) {
        Ok(())
    } else {
        Err(TokenError::AuthorizedParty)
    }
}

fn decode(segment: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|error| TokenError::Base64(go::base64_offset(&error)))
}

fn object(segment: &str) -> Result<Map<String, Value>, TokenError> {
    let bytes = decode(segment)?;
    serde_json::from_slice(&bytes).map_err(|error| TokenError::Json(go::json_error(&bytes, &error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: f64 = 1_795_578_881.0;

    fn hs256(head: Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&head), part(claims));
        let key = jsonwebtoken::EncodingKey::from_secret(b"secret");
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    }

    fn outcome(head: Value, claims: Value) -> String {
        let keys = Keys::with_secret("minio-client", "secret");
        match verify(&hs256(head, &claims), &keys, NOW) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn secret_counts_under_the_client_id_alone() {
        let claims = json!({ "exp": NOW + 600.0 });
        assert_eq!(outcome(json!({ "alg": "HS256", "kid": "minio-client" }), claims.clone()), "ok");
        assert_eq!(outcome(json!({ "alg": "HS256" }), claims.clone()), "Invalid kid value <nil>");
        assert_eq!(
            outcome(json!({ "alg": "HS256", "kid": "k1" }), claims.clone()),
            "No public key found for kid k1"
        );
        assert_eq!(
            outcome(json!({ "alg": "RS256", "kid": "minio-client" }), claims.clone()),
            "key is of invalid type"
        );
        assert_eq!(
            outcome(json!({ "alg": "none", "kid": "minio-client" }), claims),
            "'none' signature type is not allowed"
        );
    }

    #[test]
    fn times_have_no_leeway_and_must_be_numbers() {
        let head = || json!({ "alg": "HS256", "kid": "minio-client" });
        let cases = [
            (json!({ "exp": NOW - 1.0 }), "Token is expired"),
            (json!({ "exp": "1795579481" }), "Token is expired"),
            (json!({ "exp": null }), "Token is expired"),
            (json!({ "exp": 0 }), "ok"),
            (json!({}), "ok"),
            (json!({ "exp": NOW + 0.5, "nbf": NOW + 5.0 }), "Token is not valid yet"),
            (json!({ "exp": NOW + 0.5, "iat": NOW + 1.0 }), "Token used before issued"),
        ];
        for (claims, words) in cases {
            assert_eq!(outcome(head(), claims), words);
        }
    }

    #[test]
    fn shapes_that_are_no_token_are_told_apart() {
        let keys = Keys::default();
        for token in ["", "garbage", "a.b", "a.b.c.d.e"] {
            assert_eq!(verify(token, &keys, NOW), Err(TokenError::Segments));
        }
        assert_eq!(verify("!.b.c", &keys, NOW), Err(TokenError::Base64(0)));
    }

    #[test]
    fn audience_may_be_a_list_or_comma_separated_or_azp() {
        let check = |claims: Value| audience(claims.as_object().unwrap(), "minio-client");
        assert_eq!(check(json!({ "aud": "x,minio-client" })), Ok(()));
        assert_eq!(check(json!({ "aud": ["other", "minio-client"] })), Ok(()));
        assert_eq!(check(json!({ "aud": "", "azp": "minio-client" })), Ok(()));
        assert_eq!(check(json!({ "aud": [], "azp": "minio-client" })), Ok(()));
        assert_eq!(check(json!({ "aud": "MINIO-CLIENT" })), Err(TokenError::AuthorizedParty));
        assert_eq!(check(json!({ "azp": "minio-client" })), Err(TokenError::Audience));
        assert_eq!(check(json!({ "aud": 5, "azp": "minio-client" })), Err(TokenError::Audience));
    }
}
