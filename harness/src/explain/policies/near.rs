//! What was probably meant, where MinIO finds nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use ssoproof_embedded::minio::{self, OpenId, Request};
use unicode_normalization::UnicodeNormalization as _;

use super::PoliciesQuestion;
use crate::explain::Advice;
use crate::explain::token::decode_segment;

/// A policy whose name misses `name` by its spelling alone.
pub(super) fn name(name: &str, policies: &BTreeSet<String>) -> Option<Advice> {
    let advice = |how: &str, policy: &str| {
        let what = format!("`{name}` is no policy, `{policy}` is: {how}");
        Advice::new("near-miss", what, "names are compared letter for letter: give both the very same name")
    };
    for policy in policies {
        if policy.to_lowercase() == name.to_lowercase() {
            return Some(advice("upper and lower case differ", policy));
        }
        if policy.nfc().eq(name.nfc()) {
            return Some(advice("another Unicode form of the same letters (NFC, NFD)", policy));
        }
        if policy.trim() == name.trim() {
            return Some(advice("spaces differ", policy));
        }
        if name.trim_start_matches('/') == policy {
            return Some(advice("a leading slash differs", policy));
        }
    }
    for separator in ['|', ';', ' ', ':'] {
        let part = name.split(separator).find(|part| policies.contains(part.trim()) && part.trim() != name);
        if let Some(part) = part {
            let what = format!(
                "`{name}` is one name for MinIO, which splits at commas alone: `{}` is in it",
                part.trim()
            );
            return Some(Advice::new("separator", what, "send a list, or a string with commas"));
        }
    }
    None
}

/// Where the names may be when `claim` is missing.
pub(super) fn missing(
    claim: &str,
    value: Option<&Value>,
    claims: &Map<String, Value>,
    policies: &BTreeSet<String>,
) -> Vec<Advice> {
    if let Some(value) = value {
        let what = format!(
            "claim `{claim}` is {value}: MinIO takes a string or a list of strings, and says of anything else that it is missing"
        );
        return vec![Advice::new("claim-type", what, "send a list of names")];
    }
    let mut advice = Vec::new();
    let whole = Value::Object(claims.clone());
    let nested = claim.split('.').try_fold(&whole, |value, name| value.get(name));
    if claim.contains('.') && nested.is_some() {
        let what = format!(
            "`{claim}` is a path into nested claims, and MinIO looks for one claim of that very name"
        );
        advice.push(Advice::new("nested-path", what, "map the names to a claim at the top"));
    }
    for (name, value) in claims {
        let tail = name.rsplit(['/', ':', '.', '#']).next().unwrap_or(name);
        if tail.len() < name.len() && tail == claim {
            let what = format!("there is a claim `{name}`, whose name ends in `{claim}`");
            advice.push(Advice::new("namespaced-claim", what, format!("set claim_name to `{name}`")));
        } else if name.eq_ignore_ascii_case(claim) {
            let what = format!("there is a claim `{name}`: upper and lower case differ");
            advice.push(Advice::new("claim-case", what, format!("set claim_name to `{name}`")));
        } else if name != "aud" && minio::claims::policies(claims, name, |one| policies.contains(one)).is_ok()
        {
            let what = format!("claim `{name}` is {value}, which names a policy");
            advice.push(Advice::new("other-claim", what, format!("set claim_name to `{name}`")));
        }
    }
    advice
}

/// What the token's header and shape tell.
pub(super) fn token(openid: &OpenId, question: &PoliciesQuestion) -> Vec<Advice> {
    let mut advice = Vec::new();
    let Some(token) = &question.token else { return advice };
    let parts = token.split('.').count();
    if parts == 5 {
        let what = "the token is encrypted (JWE), and MinIO reads signed ones (JWS) alone";
        advice.push(Advice::new("encrypted", what, "remove the encryption key from the provider"));
        return advice;
    }
    let header = header(token);
    let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
    if header.get("kid").is_none_or(|kid| !kid.is_string()) {
        let what = format!(
            "the header has no `kid` (alg {}): the provider signs with the client secret",
            text("alg")
        );
        advice.push(Advice::new("no-kid", what, "select a signing key (RS256 or ES256) on the provider"));
    }
    if by_client_secret(openid, token) {
        let what = "the client secret is an HMAC key under the client id: whoever knows it mints credentials for any policy";
        advice.push(Advice::new(
            "client-secret-key",
            what,
            "keep the client secret as safe as the root password; use a MinIO that ends this",
        ));
    }
    if let Some(jwks) = &question.jwks {
        advice.extend(unusable_keys(jwks));
    }
    advice
}

/// The keys of `jwks` that MinIO cannot use; the first of them makes it reject the set.
pub(in crate::explain) fn unusable_keys(jwks: &Value) -> Vec<Advice> {
    let keys = jwks.get("keys").and_then(Value::as_array);
    let mut advice = Vec::new();
    if keys.is_none_or(Vec::is_empty) {
        let what = "the JWKS holds no key: the provider has no signing key and signs with HS256";
        advice.push(Advice::new("no-keys", what, "select a signing key (RS256 or ES256) on the provider"));
    }
    for key in keys.into_iter().flatten() {
        let alone = serde_json::json!({ "keys": [key] });
        let Err(refusal) = minio::check_jwks(&alone) else { continue };
        let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or("none");
        let what = format!(
            "the JWKS contains a key MinIO cannot read (kty={}, kid={}, use={}): {refusal}; the whole set is rejected",
            text("kty"),
            text("kid"),
            text("use")
        );
        advice.push(Advice::new(
            "unusable-key",
            what,
            "publish signing keys of kty RSA or EC alone; an encryption key is published in the same set",
        ));
    }
    advice
}

/// Whether `token` claims to be signed with the client secret under the client id.
pub(super) fn by_client_secret(openid: &OpenId, token: &str) -> bool {
    let header = header(token);
    let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
    !openid.client_id.is_empty() && text("kid") == openid.client_id && text("alg").starts_with("HS")
}

fn header(token: &str) -> Value {
    token.split('.').next().and_then(|part| decode_segment(part).ok()).unwrap_or_default()
}

/// What the request and the audience tell.
pub(super) fn request(openid: &OpenId, request: &Request, claims: &Map<String, Value>) -> Vec<Advice> {
    let mut advice = Vec::new();
    if !request.role_arn.is_empty() && openid.role_policy.is_none() {
        let what = format!(
            "RoleArn {} is ignored: no role policy is configured, the claim decides",
            request.role_arn
        );
        advice.push(Advice::new("role-ignored", what, "nothing to do: clients of AWS must send one"));
    }
    if let Some(arn) = openid.role_policy.as_ref().map(|_| minio::role_arn(&openid.client_id))
        && request.role_arn != arn
    {
        advice.push(Advice::new("role-arn", format!("the provider's role is {arn}"), "send it as RoleArn"));
    }
    let audiences = minio::claims::names(claims, "aud").unwrap_or_default();
    if !audiences.contains(&openid.client_id) && claims.get("azp") == Some(&openid.client_id.as_str().into())
    {
        let what = format!("the audience does not name `{}`; `azp` does, which is enough", openid.client_id);
        advice.push(Advice::new("azp", what, "nothing to do for MinIO"));
    }
    advice
}

/// What to change in a configuration that is refused.
pub(super) fn configuration(providers: &[OpenId]) -> Vec<Advice> {
    let mut advice = Vec::new();
    if providers.iter().any(|openid| {
        openid.scopes.split(',').any(|scope| scope.trim().is_empty()) && !openid.scopes.is_empty()
    }) {
        advice.push(Advice::new(
            "scopes",
            "there is an empty scope between two commas or at an end",
            "write the scopes with one comma between two",
        ));
    }
    if providers.iter().filter(|openid| openid.role_policy.is_none()).count() > 1 {
        advice.push(Advice::new(
            "one-claim-provider",
            "several providers go by a claim",
            "give all but one a role_policy",
        ));
    }
    for openid in
        providers.iter().filter(|openid| openid.role_policy.is_some() && !openid.claim_name.is_empty())
    {
        let what = format!("client `{}` has both role_policy and claim_name", openid.client_id);
        advice.push(Advice::new("role-or-claim", what, "drop one of the two"));
    }
    advice
}
