//! Tokens, and what is noticed about them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use ssoproof::explain::token::{TokenQuestion, explain};

use crate::Tried;
use crate::cases::said;

/// One token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    id: String,
    title: String,
    header: Value,
    claims: Value,
    issuer: Option<String>,
    jwks: Option<Value>,
    advice: Vec<String>,
    says: Option<String>,
}

/// A token of `header` and `claims` with a signature that nothing verifies.
pub(crate) fn token(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{SIGNATURE}", part(header), part(claims))
}

const SIGNATURE: &str = "c2lnbmF0dXJlLW9mLW5vdGhpbmc";

/// Every token.
pub(crate) fn tried() -> Vec<Tried> {
    let tokens: Vec<Token> = serde_json::from_str(include_str!("data/tokens.json")).expect("tokens");
    tokens
        .into_iter()
        .map(|token| Tried::new(&token.id.clone(), &token.title.clone(), move || check(&token)))
        .collect()
}

fn check(case: &Token) -> Result<(), String> {
    let explanation = explain(&TokenQuestion {
        token: token(&case.header, &case.claims),
        jwks: case.jwks.clone(),
        issuer: case.issuer.clone(),
        now: 1_999_996_400,
        ..TokenQuestion::default()
    })?;
    let text = explanation.to_string();
    if text.contains(SIGNATURE) {
        return Err(format!("the signature is shown in\n{text}"));
    }
    if !text.contains("valid for 1 h 0 min") {
        return Err(format!("not the time left in\n{text}"));
    }
    let given: Vec<&str> = explanation.advice.iter().map(|advice| advice.rule).collect();
    said(&given, &case.advice, case.says.as_deref(), &text)
}
