//! `ssoproof explain policies`: how MinIO comes from a token to policies.

mod near;
mod text;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use ssoproof_embedded::minio::{self, By, OpenId, Request};

use super::Advice;
pub(in crate::explain) use near::unusable_keys;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct PoliciesQuestion {
    /// The providers of the configuration; the claims are shown to the one whose client the token is for, or the
    /// first.
    pub providers: Vec<OpenId>,
    /// The claims; `None` where only the configuration is asked about.
    pub claims: Option<Map<String, Value>>,
    /// The token itself, where there is one.
    pub token: Option<String>,
    /// The provider's JWKS; without it the token's signature and times are not looked at.
    pub jwks: Option<Value>,
    /// What else the STS is asked.
    pub request: Request,
    /// The policies there are.
    pub policies: BTreeSet<String>,
    /// The time, in seconds since 1970.
    pub now: f64,
}

/// What MinIO answers.
#[derive(Clone, Debug, Serialize)]
pub struct PoliciesExplanation {
    /// The answer in one line: credentials, or MinIO's words.
    pub answer: String,
    /// Whether credentials are issued, or, without claims, the configuration is taken.
    pub accepted: bool,
    /// The policies of the credentials.
    pub policies: Vec<String>,
    /// The claim that was read; `null` where a role decides.
    pub claim: Option<String>,
    /// The names in the claim.
    pub names: Vec<Name>,
    /// What the claim holds besides strings, as JSON: MinIO does not look at it.
    pub ignored: Vec<String>,
    /// What to mend or to know.
    pub advice: Vec<Advice>,
}

/// A name in the claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Name {
    /// The name.
    pub name: String,
    /// Whether there is a policy of exactly this name.
    pub policy: bool,
}

/// Explains `question`.
pub fn explain(question: &PoliciesQuestion) -> PoliciesExplanation {
    let providers: Vec<OpenId> = question.providers.iter().cloned().map(present).collect();
    let mut explanation = PoliciesExplanation {
        answer: String::new(),
        accepted: false,
        policies: Vec::new(),
        claim: None,
        names: Vec::new(),
        ignored: Vec::new(),
        advice: Vec::new(),
    };
    if let Err(refusal) = minio::check_providers(&providers) {
        explanation.answer = format!("MinIO refuses this configuration: {refusal}");
        explanation.advice.extend(near::configuration(&providers));
        return explanation;
    }
    let Some(openid) = chosen(&providers, question) else { return explanation };
    if question.claims.is_none() && question.token.is_none() {
        explanation.accepted = true;
        "MinIO takes this configuration".clone_into(&mut explanation.answer);
        return explanation;
    }
    explanation.advice.extend(near::token(openid, question));
    let claims = match verified(openid, question) {
        Ok(claims) => claims,
        Err(refusal) => {
            explanation.answer = refused(&refusal);
            return explanation;
        }
    };
    let defined = |name: &str| question.policies.contains(name);
    let granted = minio::grant(openid, &question.request, &claims, defined);
    let by_role = openid.role_policy.is_some();
    if !by_role {
        read_claim(&mut explanation, openid, &claims, question);
    }
    match granted {
        Ok(grant) => {
            explanation.accepted = true;
            let noun = if grant.policies.len() == 1 { "policy" } else { "policies" };
            let by = match &grant.by {
                By::Claim(claim) => format!("by claim `{claim}`"),
                By::Role(arn) => format!("by role {arn}"),
            };
            explanation.answer = format!("credentials with {noun} {} {by}", grant.policies.join(", "));
            explanation.policies = grant.policies;
        }
        Err(refusal) => explanation.answer = refused(&refusal),
    }
    explanation.advice.extend(near::request(openid, &question.request, &claims));
    explanation
}

/// The provider as MinIO has it when it is up: there is always a URL then.
fn present(mut openid: OpenId) -> OpenId {
    if openid.config_url.is_empty() {
        "https://provider.invalid/.well-known/openid-configuration".clone_into(&mut openid.config_url);
    }
    openid
}

/// The provider that is asked: the one of the role ARN, else the one that goes by claims, else the first.
fn chosen<'a>(providers: &'a [OpenId], question: &PoliciesQuestion) -> Option<&'a OpenId> {
    let asked = &question.request.role_arn;
    let of_role = providers
        .iter()
        .find(|openid| openid.role_policy.is_some() && minio::role_arn(&openid.client_id) == *asked);
    of_role
        .or_else(|| providers.iter().find(|openid| openid.role_policy.is_none()))
        .or_else(|| providers.first())
}

/// The claims, once the token stands as far as can be known.
fn verified(openid: &OpenId, question: &PoliciesQuestion) -> Result<Map<String, Value>, String> {
    let given = || question.claims.clone().unwrap_or_default();
    let Some(token) = &question.token else { return Ok(given()) };
    match &question.jwks {
        Some(jwks) => minio::verify(openid, jwks, token, question.now),
        None => match minio::verify(openid, &serde_json::json!({}), token, question.now) {
            // Nobody has said which keys there are.
            Err(refusal) if refusal.starts_with("No public key found") => Ok(given()),
            Err(_) if near::by_client_secret(openid, token) => Ok(given()),
            other => other,
        },
    }
}

fn refused(words: &str) -> String {
    format!("400 InvalidParameterValue: {words}")
}

/// What the claim holds, and what was probably meant.
fn read_claim(
    explanation: &mut PoliciesExplanation,
    openid: &OpenId,
    claims: &Map<String, Value>,
    question: &PoliciesQuestion,
) {
    let mut claims = claims.clone();
    for (name, value) in
        question.request.userinfo.clone().filter(|_| openid.claim_userinfo).into_iter().flatten()
    {
        claims.entry(name).or_insert(value);
    }
    let claim = if openid.claim_name.is_empty() { "policy" } else { &openid.claim_name };
    let value = claims.get(claim);
    if let Ok(names) = minio::claims::names(&claims, claim) {
        let name = |name: String| Name { policy: question.policies.contains(&name), name };
        explanation.names = names.into_iter().map(name).collect();
    } else {
        explanation.advice.extend(near::missing(claim, value, &claims, &question.policies));
    }
    if let Some(Value::Array(items)) = value {
        let odd = items.iter().filter(|item| !item.is_string());
        explanation.ignored = odd.map(Value::to_string).collect();
    }
    let unknown = explanation.names.iter().filter(|name| !name.policy);
    let near: Vec<Advice> = unknown.filter_map(|name| near::name(&name.name, &question.policies)).collect();
    explanation.advice.extend(near);
    explanation.claim = Some(claim.to_owned());
}
