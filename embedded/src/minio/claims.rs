//! From a claim of the token to the policies of the credentials (`truth/minio/02-groups-claim`).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Why a token's claims give no credentials. The words are MinIO's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The claim is absent, or neither a string nor a list.
    #[error("{0} claim missing from the JWT token, credentials will not be generated")]
    Missing(String),
    /// No name in the claim is a policy.
    #[error("None of the given policies (`{0}`) are defined, credentials will not be generated")]
    NoneDefined(String),
}

/// The names in `claim`: a list or a comma-separated string, each element split at commas and trimmed, what is
/// no string left out; sorted, each once.
///
/// # Errors
/// [`ClaimError::Missing`] when the claim is neither string nor list.
pub fn names(claims: &Map<String, Value>, claim: &str) -> Result<BTreeSet<String>, ClaimError> {
    let texts: Vec<&str> = match claims.get(claim) {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => return Err(ClaimError::Missing(claim.to_owned())),
    };
    let split = texts.into_iter().flat_map(|text| text.split(',')).map(str::trim);
    Ok(split.filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// The names in `claim` that `defined` knows, joined by commas as the session token carries them.
///
/// # Errors
/// [`ClaimError`] when there is none.
pub fn policies(
    claims: &Map<String, Value>,
    claim: &str,
    defined: impl Fn(&str) -> bool,
) -> Result<String, ClaimError> {
    let names = names(claims, claim)?;
    let existing: Vec<&str> = names.iter().map(String::as_str).filter(|name| defined(name)).collect();
    if existing.is_empty() {
        return Err(ClaimError::NoneDefined(names.into_iter().collect::<Vec<_>>().join(",")));
    }
    Ok(existing.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn granted(groups: Value) -> Result<String, String> {
        let claims = json!({ "groups": groups });
        let defined = |name: &str| ["readonly", "readwrite", "grp,comma"].contains(&name);
        policies(claims.as_object().unwrap(), "groups", defined).map_err(|error| error.to_string())
    }

    #[test]
    fn strings_and_lists_are_split_trimmed_and_sorted() {
        for groups in [
            json!("readwrite,readonly"),
            json!(" readwrite , readonly "),
            json!(["readwrite", "readonly"]),
            json!(["readwrite,readonly", 1, null]),
        ] {
            assert_eq!(granted(groups), Ok("readonly,readwrite".to_owned()));
        }
    }

    #[test]
    fn names_are_exact_and_a_comma_never_belongs_to_one() {
        let none = |names: &str| {
            Err(format!(
                "None of the given policies (`{names}`) are defined, credentials will not be generated"
            ))
        };
        assert_eq!(granted(json!(["ReadOnly"])), none("ReadOnly"));
        assert_eq!(granted(json!("readwrite readonly")), none("readwrite readonly"));
        assert_eq!(granted(json!(["grp,comma"])), none("comma,grp"));
        assert_eq!(granted(json!(["nope", "authentik Admins"])), none("authentik Admins,nope"));
        assert_eq!(granted(json!([])), none(""));
        assert_eq!(granted(json!([["readonly"]])), none(""));
    }

    #[test]
    fn other_types_count_as_missing() {
        for groups in [json!(5), json!(null), json!(true), json!({ "a": "readonly" })] {
            let missing = "groups claim missing from the JWT token, credentials will not be generated";
            assert_eq!(granted(groups), Err(missing.to_owned()));
        }
    }
}
