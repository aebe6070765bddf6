//! What Grafana reads in a source of claims besides the role.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use serde_json::Value;

use super::role::{self, Found, Sources};
use super::settings::Settings;

/// Base64url as Go's `RawURLEncoding` reads it: without padding, not strict about the last bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// The payload of a JWT, unverified.
///
/// # Errors
/// Why Grafana reads none, and leaves the source out.
pub fn payload(token: &str) -> Result<Value, String> {
    let parts: Vec<&str> = token.split('.').collect();
    let allowed = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
    };
    let [header, payload, _] = parts[..] else { return Err("not in JWT format".to_owned()) };
    if !parts.iter().all(allowed) {
        return Err("not in JWT format".to_owned());
    }
    for part in [header, payload] {
        BASE64.decode(part).map_err(|error| format!("error base64 decoding: {error}"))?;
    }
    let bytes = BASE64.decode(payload).unwrap_or_default();
    let claims = serde_json::from_slice(&bytes).map_err(|error| format!("error decoding JSON: {error}"))?;
    checked(claims)
}

/// Claims whose known fields have the types Grafana's struct wants. One field of another type drops the source,
/// all of it.
///
/// # Errors
/// Why Grafana leaves the source out.
pub fn checked(claims: Value) -> Result<Value, String> {
    let fields = match &claims {
        Value::Object(fields) => fields,
        Value::Null => return Ok(claims),
        _ => return Err("error decoding JSON: not an object".to_owned()),
    };
    for (name, value) in fields {
        let name = name.to_ascii_lowercase();
        let fits = match name.as_str() {
            "sub" | "name" | "display_name" | "login" | "username" | "email" | "upn" => {
                value.is_string() || value.is_null()
            }
            "attributes" => value.is_null() || value.as_object().is_some_and(|each| each.values().all(texts)),
            _ => true,
        };
        if !fits {
            return Err(format!("error decoding JSON: field `{name}` has another type"));
        }
    }
    Ok(claims)
}

fn texts(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().all(|item| item.is_string() || item.is_null()),
        _ => false,
    }
}

/// Who signs in, as far as the claims say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) sub: String,
    pub(super) name: String,
    pub(super) login: String,
    pub(super) email: String,
    pub(super) groups: Vec<String>,
}

impl Person {
    /// Each field from the first source that has it.
    pub(super) fn read(settings: &Settings, sources: &Sources) -> Self {
        let mut person = Self::default();
        for claims in sources.in_order().into_iter().filter_map(|(_, claims)| claims) {
            let claim = |name: &str| field(claims, name);
            let path = |path: &str| at_path(path, claims);
            let first = |known: &mut String, values: &[&dyn Fn() -> String]| {
                for value in values {
                    if known.is_empty() {
                        *known = value();
                    }
                }
            };
            first(&mut person.sub, &[&|| claim("sub")]);
            first(
                &mut person.name,
                &[&|| path(&settings.name_attribute_path), &|| claim("name"), &|| claim("display_name")],
            );
            first(
                &mut person.login,
                &[&|| claim("login"), &|| path(&settings.login_attribute_path), &|| claim("username")],
            );
            first(
                &mut person.email,
                &[
                    &|| claim("email"),
                    &|| path(&settings.email_attribute_path),
                    &|| attribute(claims, "email:primary"),
                    &|| Some(claim("upn")).filter(|upn| upn.contains('@')).unwrap_or_default(),
                ],
            );
            if person.groups.is_empty() {
                person.groups = list_at_path(&settings.groups_attribute_path, claims);
            }
        }
        person
    }
}

/// A text field; Go matches names in any case and lets the last of them win.
fn field(claims: &Value, name: &str) -> String {
    let fields = claims.as_object().into_iter().flatten();
    fields
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .filter_map(|(_, value)| value.as_str())
        .next_back()
        .unwrap_or_default()
        .to_owned()
}

fn attribute(claims: &Value, name: &str) -> String {
    let values = claims.get("attributes").and_then(|attributes| attributes.get(name));
    values.and_then(|values| values.get(0)).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn at_path(path: &str, claims: &Value) -> String {
    if path.is_empty() {
        return String::new();
    }
    match role::search(path, claims) {
        Found::Text(text) => text,
        Found::Dropped(_) | Found::Error(_) => String::new(),
    }
}

/// The strings of a list; a string alone is no list.
fn list_at_path(path: &str, claims: &Value) -> Vec<String> {
    if path.is_empty() {
        return Vec::new();
    }
    match role::evaluate(path, claims) {
        Ok(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dial::Names;
    use crate::logs::Logs;
    use serde_json::json;
    use std::sync::Arc;

    fn settings() -> Settings {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        Settings::new("http://g.test/", "", "", Names::default(), Arc::new(tls), Logs::default())
    }

    fn person(settings: &Settings, id_token: Value, userinfo: Value) -> Person {
        let sources = Sources { id_token: Some(id_token), userinfo: Some(userinfo), access_token: None };
        Person::read(settings, &sources)
    }

    #[test]
    fn preferred_username_is_no_login_unless_its_path_is_set() {
        let claims = json!({ "sub": "1", "preferred_username": "alice", "email": "alice@sso.test" });
        let mut settings = settings();
        assert_eq!(person(&settings, claims.clone(), json!({})).login, "");
        settings.login_attribute_path = "preferred_username".to_owned();
        assert_eq!(person(&settings, claims, json!({})).login, "alice");
    }

    #[test]
    fn each_field_comes_from_the_first_source_that_has_it() {
        let mut settings = settings();
        settings.groups_attribute_path = "groups".to_owned();
        let found = person(
            &settings,
            json!({ "sub": "1", "Email": "one@sso.test", "groups": "admins" }),
            json!({ "sub": "2", "email": "two@sso.test", "name": "Two", "groups": ["a", 5, "b"] }),
        );
        let expected = Person {
            sub: "1".to_owned(),
            name: "Two".to_owned(),
            login: String::new(),
            email: "one@sso.test".to_owned(),
            groups: vec!["a".to_owned(), "b".to_owned()],
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn field_of_another_type_drops_the_source() {
        assert!(checked(json!({ "sub": 5, "groups": ["a"] })).is_err());
        assert!(checked(json!({ "attributes": { "a": "b" } })).is_err());
        assert!(checked(json!({ "attributes": { "a": ["b"] }, "groups": 5 })).is_ok());
        assert!(checked(json!(["a"])).is_err());
    }

    #[test]
    fn payloads_are_read_unverified_and_never_panic() {
        assert_eq!(payload("e30.eyJzdWIiOiJ1In0.x"), Ok(json!({ "sub": "u" })));
        for token in ["", "a.b", "e30.e30", "e30.e30.", "e30.!.x", "e30.YQ.x", "e30.e30=.x"] {
            assert!(payload(token).is_err(), "{token}");
        }
    }
}
