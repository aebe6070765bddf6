//! What MinIO would say, asked of values at hand: no server, no provider, no network.

use serde_json::{Map, Value};

use super::grant::{self, Grant};
use super::keys::{Jwks, Keys};
use super::settings::OpenId;
use super::{sts, token};

/// Refuses the configurations that MinIO refuses at its start, in its words; what only a dialled provider can show
/// is not looked at (`truth/minio/21-role-policy-and-config`).
///
/// # Errors
/// The first thing wrong, in the order of the providers.
pub fn check_providers(providers: &[OpenId]) -> Result<(), String> {
    let mut by_claim = false;
    for (place, openid) in providers.iter().enumerate() {
        let before = providers.get(..place).unwrap_or_default();
        if before.iter().any(|other| other.client_id == openid.client_id) {
            let id = &openid.client_id;
            return Err(format!("Client ID {id} is present with multiple OpenID configurations"));
        }
        openid.check().map_err(|error| error.to_string())?;
        if openid.role_policy.is_some() {
            if openid.client_id.is_empty() {
                return Err("client ID must not be empty".to_owned());
            }
        } else if std::mem::replace(&mut by_claim, true) {
            return Err(
                "Only one OpenID provider can be configured if not using role policy mapping".to_owned()
            );
        }
    }
    Ok(())
}

/// Reads a JWKS document as MinIO does.
///
/// # Errors
/// What MinIO says of the first key it cannot use: then it takes none of the set at its start.
pub fn check_jwks(document: &Value) -> Result<(), String> {
    keys(&OpenId::default(), document).map(|_| ())
}

/// The claims of `text`, verified with the keys of `jwks` and the client secret at `now` (seconds since 1970).
///
/// # Errors
/// What MinIO answers to the token, or to the keys.
pub fn verify(openid: &OpenId, jwks: &Value, text: &str, now: f64) -> Result<Map<String, Value>, String> {
    let keys = keys(openid, jwks)?;
    token::verify(text, &keys, now).map_err(|error| error.to_string())
}

/// What is asked of the STS besides the token.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `RoleArn`; empty for none.
    pub role_arn: String,
    /// `DurationSeconds`; empty for none.
    pub duration: String,
    /// What the userinfo endpoint answers to the access token that is sent; `None` where none is sent.
    pub userinfo: Option<Map<String, Value>>,
}

/// What `claims`, taken as verified, are worth where `defined` knows the policies. Times are not looked at.
///
/// # Errors
/// What MinIO answers, always with status 400 and code `InvalidParameterValue`.
pub fn grant(
    openid: &OpenId,
    request: &Request,
    claims: &Map<String, Value>,
    defined: impl Fn(&str) -> bool,
) -> Result<Grant, String> {
    let role = grant::asked_role(openid, &request.role_arn, true)??;
    let mut claims = claims.clone();
    sts::lengthen(&mut claims, &request.duration).map_err(|error| error.message)?;
    if openid.claim_userinfo {
        let userinfo = request.userinfo.clone().ok_or_else(|| sts::NO_ACCESS_TOKEN.to_owned())?;
        sts::add(&mut claims, userinfo);
    }
    let granted = grant::decide(openid, &claims, role, defined).map_err(|error| error.to_string())?;
    grant::subject(&claims).map_err(|error| error.to_string())?;
    Ok(granted)
}

fn keys(openid: &OpenId, document: &Value) -> Result<Keys, String> {
    let set: Jwks = serde_json::from_value(document.clone()).map_err(|error| error.to_string())?;
    let mut keys = Keys::with_secret(&openid.client_id, &openid.client_secret);
    keys.add(&set).map_err(|error| error.to_string())?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claimed(client: &str, claim: &str) -> OpenId {
        OpenId { client_id: client.to_owned(), claim_name: claim.to_owned(), ..OpenId::default() }
    }

    #[test]
    fn one_provider_by_claim_beside_any_number_by_role() {
        let role = OpenId { role_policy: Some("readonly".to_owned()), ..claimed("b", "") };
        assert_eq!(check_providers(&[claimed("a", "groups"), role.clone()]), Ok(()));
        let refused = check_providers(&[claimed("a", "groups"), role, claimed("c", "policy")]).unwrap_err();
        assert!(refused.starts_with("Only one OpenID provider"), "{refused}");
        let refused = check_providers(&[claimed("a", ""), claimed("a", "")]).unwrap_err();
        assert_eq!(refused, "Client ID a is present with multiple OpenID configurations");
    }

    #[test]
    fn subject_is_looked_at_last() {
        let mut openid = claimed("minio", "groups");
        openid.config_url = "https://idp.test/".to_owned();
        let grant = |claims: Value| {
            grant(&openid, &Request::default(), claims.as_object().unwrap(), |name| name == "team")
        };
        let team = grant(json!({ "aud": "minio", "sub": "u", "groups": ["team", "x"] })).unwrap();
        assert_eq!(team.policies, ["team"]);
        assert!(grant(json!({ "aud": "minio", "groups": ["x"] })).unwrap_err().starts_with("None of"));
        assert!(
            grant(json!({ "aud": "minio", "groups": ["team"] })).unwrap_err().contains("`sub` claim missing")
        );
    }
}
