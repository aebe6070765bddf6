//! `ssoproof explain token`: what a JWT says, and whether its signature stands. It is sent nowhere, and its signature
//! is never shown.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::policies::unusable_keys;
use super::{Advice, advice_text};

/// What is asked.
#[derive(Default)]
pub struct TokenQuestion {
    /// The token.
    pub token: String,
    /// The JWKS to look for its key in.
    pub jwks: Option<Value>,
    /// The client secret, for tokens signed with it.
    pub secret: Option<SecretString>,
    /// The issuer that its recipient expects.
    pub issuer: Option<String>,
    /// The client that it should be for.
    pub client_id: Option<String>,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// What the token says.
#[derive(Clone, Debug, Serialize)]
pub struct TokenExplanation {
    /// Its header.
    pub header: Value,
    /// Its claims.
    pub claims: Value,
    /// What its times mean now.
    pub times: Vec<String>,
    /// Whether the signature stands, and by which key.
    pub signature: String,
    /// Whether it stands; `null` where that is not known.
    pub signed: Option<bool>,
    /// What to mend or to know.
    pub advice: Vec<Advice>,
}

/// The JSON object in a segment of a token.
///
/// # Errors
/// What is wrong with it.
pub fn decode_segment(segment: &str) -> Result<Value, String> {
    let bytes =
        URL_SAFE_NO_PAD.decode(segment.trim_end_matches('=')).map_err(|_| "is no base64url".to_owned())?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| format!("is no JSON: {error}"))?;
    if value.is_object() { Ok(value) } else { Err("is no JSON object".to_owned()) }
}

/// Explains `question`.
///
/// # Errors
/// Why it is no token that can be read.
pub fn explain(question: &TokenQuestion) -> Result<TokenExplanation, String> {
    let token = question.token.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
    let (head, payload, signature) = match token.split('.').collect::<Vec<_>>()[..] {
        [head, payload, signature] => (head, payload, signature),
        [head, _, _, _, _] => {
            let header = decode_segment(head)?;
            return Err(format!(
                "is an encrypted token (JWE, header {header}): its claims are for its recipient alone; \
                 remove the encryption key from the provider"
            ));
        }
        _ => return Err("is no token of three parts".to_owned()),
    };
    let header = decode_segment(head).map_err(|what| format!("has a header that {what}"))?;
    let claims = decode_segment(payload).map_err(|what| format!("has a payload that {what}"))?;
    let message = token.rsplit_once('.').map_or("", |(message, _)| message);
    let (said, signed) = signature_of(question, &header, message, signature);
    let mut advice = notes(question, &header, &claims);
    if let Some(jwks) = &question.jwks {
        advice.extend(unusable_keys(jwks));
    }
    let times = times(&claims, question.now);
    Ok(TokenExplanation { header, claims, times, signature: said, signed, advice })
}

/// Whether the signature stands, in words and as a value.
fn signature_of(
    question: &TokenQuestion,
    header: &Value,
    message: &str,
    signature: &str,
) -> (String, Option<bool>) {
    let alg = header["alg"].as_str().unwrap_or_default();
    if alg.eq_ignore_ascii_case("none") || signature.is_empty() {
        return ("there is none: anybody can have made this token".to_owned(), Some(false));
    }
    let Ok(algorithm) = alg.parse::<Algorithm>() else {
        return (format!("not checked: algorithm `{alg}` is not known here"), None);
    };
    let stands = |key: &DecodingKey| {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false)
    };
    let said = |right: bool, by: &str| {
        let word = if right { "right" } else { "WRONG" };
        (format!("{word}, by {by}"), Some(right))
    };
    if alg.starts_with("HS") {
        return match &question.secret {
            Some(secret) => said(
                stands(&DecodingKey::from_secret(secret.expose_secret().as_bytes())),
                "the client secret",
            ),
            None => {
                ("not checked: signed with a secret, name its variable with --secret-env".to_owned(), None)
            }
        };
    }
    let Some(jwks) = &question.jwks else { return ("not checked: no --jwks given".to_owned(), None) };
    let keys: Vec<&Value> = jwks["keys"].as_array().into_iter().flatten().collect();
    let kid = header["kid"].as_str();
    let Some(key) = keys.iter().find(|key| kid.is_some() && key["kid"].as_str() == kid) else {
        let known: Vec<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let text =
            format!("not checked: no key goes by kid {}; the JWKS has {known}", kid.unwrap_or("(none)"));
        return (text, None);
    };
    let name =
        format!("the key {} ({} {})", kid.unwrap_or_default(), key["kty"].as_str().unwrap_or("?"), alg);
    let read = serde_json::from_value::<Jwk>((*key).clone()).map_err(|error| error.to_string());
    match read.and_then(|jwk| DecodingKey::from_jwk(&jwk).map_err(|error| error.to_string())) {
        Ok(decoding) => said(stands(&decoding), &name),
        Err(error) => (format!("not checked: {name} cannot be decoded: {error}"), None),
    }
}

/// What `iat`, `nbf` and `exp` mean at `now`.
fn times(claims: &Value, now: i64) -> Vec<String> {
    let at = |name: &str| claims[name].as_f64().map(|seconds| seconds as i64);
    let mut lines = Vec::new();
    if let Some(issued) = at("iat") {
        lines.push(format!("issued {}", relative(issued, now)));
    }
    if let Some(begins) = at("nbf").filter(|begins| *begins > now) {
        lines.push(format!("not valid yet: begins {}", relative(begins, now)));
    }
    match at("exp") {
        Some(expires) if expires > now => lines.push(format!("valid for {}", span(expires - now))),
        Some(expires) => lines.push(format!("EXPIRED {}", relative(expires, now))),
        None => lines.push("never expires: there is no `exp`".to_owned()),
    }
    lines
}

fn relative(then: i64, now: i64) -> String {
    if then > now { format!("in {}", span(then - now)) } else { format!("{} ago", span(now - then)) }
}

/// `seconds` in the two largest units.
fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn notes(question: &TokenQuestion, header: &Value, claims: &Value) -> Vec<Advice> {
    let mut advice = Vec::new();
    let mut note = |rule, what: String, help: &str| advice.push(Advice::new(rule, what, help));
    let alg = header["alg"].as_str().unwrap_or("none");
    if !header["kid"].is_string() {
        let what = format!("the header has no `kid` (alg {alg}): MinIO answers \"Invalid kid value <nil>\"");
        note("no-kid", what, "select a signing key (RS256 or ES256) on the provider");
    }
    if claims["groups"].is_null() {
        let what = "there is no claim `groups`: Grafana's and MinIO's mappings find nothing here".to_owned();
        note(
            "no-groups",
            what,
            "ask for a scope whose mapping gives `groups`, and put claims into the id token",
        );
    }
    match &claims["email_verified"] {
        Value::Bool(true) => {}
        Value::Bool(false) => note(
            "email-unverified",
            "`email_verified` is false, Authentik's default since 2025.10: clients that ask for it refuse"
                .to_owned(),
            "map it to true where addresses are verified, or let the client not ask",
        ),
        Value::Null => note(
            "email-unknown",
            "there is no `email_verified`, which is not the same as false".to_owned(),
            "nothing to do unless a client asks for it",
        ),
        other => note(
            "email-type",
            format!("`email_verified` is {other}, and must be a boolean"),
            "mend the scope mapping",
        ),
    }
    if claims["sub"].as_str().is_none_or(str::is_empty) {
        note(
            "no-sub",
            "there is no `sub`: MinIO and every OpenID client refuse it".to_owned(),
            "mend the provider's subject mode",
        );
    }
    let audience: Vec<&str> = match &claims["aud"] {
        Value::String(one) => vec![one],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let party = claims["azp"].as_str();
    if audience.is_empty() {
        note(
            "no-audience",
            "there is no `aud`: a client must refuse the token".to_owned(),
            "see that this is an id token",
        );
    } else if audience.len() > 1 && party.is_none() {
        note(
            "no-azp",
            "there are several audiences and no `azp` that says whose token it is".to_owned(),
            "send `azp`",
        );
    }
    if let Some(client) = question.client_id.as_deref()
        && !audience.contains(&client)
    {
        let what =
            format!("`aud` is {}, and does not name `{client}`; `azp` is {}", claims["aud"], claims["azp"]);
        note(
            "audience",
            what,
            if party == Some(client) {
                "MinIO takes `azp`, others refuse"
            } else {
                "this is a token for another client"
            },
        );
    }
    if let (Some(expected), Some(issuer)) = (&question.issuer, claims["iss"].as_str())
        && expected != issuer
    {
        let how = match same_but_spelling(expected, issuer) {
            true => {
                "the issuer differs only by case / trailing slash / default port, and is compared byte for byte"
            }
            false => "the issuer is another",
        };
        note(
            "issuer",
            format!("{how}: `{issuer}`, expected `{expected}`"),
            "give both sides the very same URL (AUTHENTIK_HOST)",
        );
    }
    advice
}

/// Whether two URLs are the same but for case of the host, a slash at the end or the default port.
fn same_but_spelling(one: &str, other: &str) -> bool {
    let normal = |text: &str| {
        let url = Url::parse(text).ok()?;
        Some(url.as_str().trim_end_matches('/').to_owned())
    };
    normal(one).is_some() && normal(one) == normal(other)
}

impl fmt::Display for TokenExplanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "header  {}", self.header)?;
        writeln!(out, "claims")?;
        for (name, value) in self.claims.as_object().into_iter().flatten() {
            writeln!(out, "  {name}: {value}")?;
        }
        writeln!(out, "time    {}", self.times.join(", "))?;
        writeln!(out, "signature  {}", self.signature)?;
        if !self.advice.is_empty() {
            write!(out, "\n{}", advice_text(&self.advice))?;
        }
        Ok(())
    }
}
