//! Claims, a configuration, and what MinIO answers.

use serde::Deserialize;
use serde_json::{Map, Value};
use ssoproof::explain::policies::{PoliciesQuestion, explain};
use ssoproof_embedded::minio::{OpenId, Request};

use crate::Tried;
use crate::cases::said;
use crate::tokens::token;

/// One triple, or one configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Triple {
    id: String,
    title: String,
    providers: Vec<Provider>,
    claims: Option<Map<String, Value>>,
    /// The header of a token to be made of the claims.
    header: Option<Value>,
    /// A token as it is.
    token: Option<String>,
    jwks: Option<Value>,
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    role_arn: String,
    #[serde(default)]
    duration: String,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    client_id: String,
    #[serde(default)]
    claim_name: String,
    role_policy: Option<String>,
    #[serde(default)]
    scopes: String,
}

/// What must come of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The policies of the credentials.
    policies: Option<Vec<String>>,
    /// MinIO's words.
    refused: Option<String>,
    #[serde(default)]
    dropped: Vec<String>,
    ignored: Option<usize>,
    #[serde(default)]
    advice: Vec<String>,
    says: Option<String>,
}

/// Every triple and configuration.
pub(crate) fn tried() -> Vec<Tried> {
    let triples: Vec<Triple> = serde_json::from_str(include_str!("data/minio.json")).expect("triples");
    triples
        .into_iter()
        .map(|triple| Tried::new(&triple.id.clone(), &triple.title.clone(), move || check(&triple)))
        .collect()
}

fn check(triple: &Triple) -> Result<(), String> {
    let claims = triple.claims.clone();
    let made = triple.header.as_ref().map(|header| token(header, &claims.clone().unwrap_or_default().into()));
    let providers = triple.providers.iter().map(|provider| OpenId {
        client_id: provider.client_id.clone(),
        claim_name: provider.claim_name.clone(),
        role_policy: provider.role_policy.clone(),
        scopes: provider.scopes.clone(),
        ..OpenId::default()
    });
    let explanation = explain(&PoliciesQuestion {
        providers: providers.collect(),
        claims,
        token: made.or_else(|| triple.token.clone()),
        jwks: triple.jwks.clone(),
        request: Request {
            role_arn: triple.role_arn.clone(),
            duration: triple.duration.clone(),
            userinfo: None,
        },
        policies: triple.policies.iter().cloned().collect(),
        now: 0.0,
    });
    let text = explanation.to_string();
    let expected = &triple.expect;
    if let Some(policies) = &expected.policies
        && (!explanation.accepted || explanation.policies != *policies)
    {
        return Err(format!("not the policies {policies:?} in\n{text}"));
    }
    if let Some(words) = &expected.refused
        && (explanation.accepted || !explanation.answer.contains(words.as_str()))
    {
        return Err(format!("not refused with `{words}` in\n{text}"));
    }
    let dropped: Vec<&String> =
        explanation.names.iter().filter(|name| !name.policy).map(|name| &name.name).collect();
    if let Some(name) = expected.dropped.iter().find(|name| !dropped.contains(name)) {
        return Err(format!("`{name}` is not dropped in\n{text}"));
    }
    if expected.ignored.is_some_and(|count| count != explanation.ignored.len()) {
        return Err(format!("not {:?} values ignored in\n{text}", expected.ignored));
    }
    let given: Vec<&str> = explanation.advice.iter().map(|advice| advice.rule).collect();
    said(&given, &expected.advice, expected.says.as_deref(), &text)
}
