//! What a valid token's claims are worth: the decision of the STS, apart from keys, times and credentials.

use serde_json::{Map, Value};

use super::settings::OpenId;
use super::token::TokenError;
use super::{claims, role, token};

/// Policies, and what they were given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The names of the policies, sorted.
    pub policies: Vec<String>,
    /// What they were given for.
    pub by: By,
}

/// What policies are given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The claim of this name.
    Claim(String),
    /// The provider's role policy, asked for by this ARN.
    Role(String),
}

/// Why a token's claims are worth nothing. The words are MinIO's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GrantError {
    /// The audience is another.
    #[error(transparent)]
    Audience(#[from] TokenError),
    /// No policy.
    #[error(transparent)]
    Claim(#[from] claims::ClaimError),
    /// No subject.
    #[error("STS JWT Token has `sub` claim missing, `sub` claim is mandatory")]
    NoSubject,
}

/// The ARN of the role that policies are given by, `None` where a claim names them; the outer error is about the
/// ARN asked for, the inner one about there being nobody to give any. Without a role policy any ARN is ignored,
/// since clients of AWS must send one.
pub(super) fn asked_role(
    openid: &OpenId,
    asked: &str,
    initialised: bool,
) -> Result<Result<Option<String>, String>, String> {
    let known = openid.role_arn();
    if let Some(known) = known.as_deref().filter(|_| !asked.is_empty()) {
        role::resolve(asked, if initialised { known } else { "" })?;
    }
    if !openid.configured() || (known.is_some() && asked.is_empty()) {
        return Ok(Err(format!("Role {} does not exist", role::DUMMY)));
    }
    Ok(Ok(known))
}

/// The policies for `claims`, of those that `defined` knows.
pub(super) fn decide(
    openid: &OpenId,
    claims: &Map<String, Value>,
    role: Option<String>,
    defined: impl Fn(&str) -> bool,
) -> Result<Grant, GrantError> {
    token::audience(claims, &openid.client_id)?;
    let (given, by) = match (role, &openid.role_policy) {
        (Some(arn), Some(policies)) => {
            let named = Map::from_iter([("policy".to_owned(), Value::from(policies.as_str()))]);
            (claims::policies(&named, "policy", defined)?, By::Role(arn))
        }
        _ => {
            let claim = openid.claim().to_owned();
            (claims::policies(claims, &claim, defined)?, By::Claim(claim))
        }
    };
    Ok(Grant { policies: given.split(',').map(str::to_owned).collect(), by })
}

/// The subject, which is looked at last.
pub(super) fn subject(claims: &Map<String, Value>) -> Result<&str, GrantError> {
    let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
    subject.ok_or(GrantError::NoSubject)
}
