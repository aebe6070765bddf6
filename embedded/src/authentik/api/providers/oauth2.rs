//! `providers/oauth2/` (`01-config-api`, `02-config-errors`).

use serde_json::{Map, Value, json};

use super::super::call::{View, extended};
use super::super::collection::{Editable, Resource};
use super::super::fields::{Fields, python_type};
use super::common;
use crate::authentik::model::{Provider, RedirectUri};
use crate::authentik::oauth2::redirect_uri::Matching;
use crate::authentik::state::State;

const REQUIRED: &str = "This field is required.";
const SUB_MODES: [&str; 6] =
    ["hashed_user_id", "user_id", "user_uuid", "user_username", "user_email", "user_upn"];

pub(in crate::authentik::api) struct OAuth2Providers;

impl Resource for OAuth2Providers {
    type Key = u64;
    type Item = Provider;

    const MODEL: &'static str = "OAuth2Provider";
    const REMOVE: Option<fn(&mut State, &u64)> = Some(common::remove);

    /// A proxy provider is an OAuth2 provider too.
    fn rows(state: &State) -> Vec<&Provider> {
        state.providers.values().collect()
    }

    fn find(state: &State, segment: &str) -> Option<u64> {
        segment.parse().ok().filter(|pk| state.providers.contains_key(pk))
    }

    fn item<'s>(state: &'s State, key: &u64) -> Option<&'s Provider> {
        state.providers.get(key)
    }

    fn show(view: View<'_>, provider: &Provider) -> Value {
        let mut value = json!({
            "client_type": if provider.confidential { "confidential" } else { "public" },
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
            "access_code_validity": provider.access_code_validity.text,
            "access_token_validity": provider.access_token_validity.text,
            "refresh_token_validity": provider.refresh_token_validity.text,
            "include_claims_in_id_token": provider.include_claims_in_id_token,
            "signing_key": provider.signing_key,
            "encryption_key": provider.encryption_key,
            "redirect_uris": common::redirect_uris(provider),
            "sub_mode": provider.sub_mode,
            "issuer_mode": provider.issuer_mode,
            "jwt_federation_sources": [],
            "jwt_federation_providers": [],
        });
        if view.profile.old_shapes {
            value["backchannel_logout_uri"] = json!(provider.logout_uri);
        } else {
            value["refresh_token_threshold"] = json!("seconds=0");
            value["logout_uri"] = json!(provider.logout_uri);
            value["logout_method"] = json!(provider.logout_method);
        }
        extended(common::base(view, provider), value)
    }

    fn order(provider: &Provider) -> String {
        provider.name.clone()
    }
}

impl Editable for OAuth2Providers {
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&Provider>) -> Provider {
        let key = |pk| view.state.key_pairs.contains_key(&pk);
        let base = common::read(view, fields, old);
        let client_id = fields.text("client_id", Some(&base.client_id), "");
        if view.state.providers.values().any(|other| other.client_id == client_id && other.pk != base.pk) {
            fields.complain("client_id", "OAuth2/OpenID Provider with this Client ID already exists.");
        }
        let kind = if base.confidential { "confidential" } else { "public" };
        let logout_uri = if view.profile.old_shapes { "backchannel_logout_uri" } else { "logout_uri" };
        Provider {
            client_id,
            client_secret: fields.text("client_secret", Some(&base.client_secret), ""),
            confidential: fields.choice("client_type", Some(kind), &["confidential", "public"])
                == "confidential",
            redirect_uris: redirect_uris(fields, old),
            // Null when left out, which means HS256 (`41-oidc-code-flow-nokey`).
            signing_key: fields.maybe("signing_key", base.signing_key, key),
            encryption_key: fields.maybe("encryption_key", base.encryption_key, key),
            include_claims_in_id_token: fields.flag(
                "include_claims_in_id_token",
                Some(base.include_claims_in_id_token),
                true,
            ),
            sub_mode: fields.choice("sub_mode", Some(&base.sub_mode), &SUB_MODES),
            issuer_mode: fields.choice("issuer_mode", Some(&base.issuer_mode), &["per_provider", "global"]),
            logout_uri: fields.text(logout_uri, Some(&base.logout_uri), ""),
            logout_method: fields.choice(
                "logout_method",
                Some(&base.logout_method),
                &["backchannel", "frontchannel"],
            ),
            ..base
        }
    }

    fn store(state: &mut State, provider: Provider, body: &Map<String, Value>) -> u64 {
        common::store(state, provider, body)
    }
}

/// The name of a way to compare redirect URIs.
pub(super) fn matching_mode(matching: Matching) -> &'static str {
    match matching {
        Matching::Strict => "strict",
        Matching::Regex => "regex",
    }
}

/// A list of `{matching_mode, url}`. Other members (`redirect_uri_type`) are ignored, and an empty list is taken.
fn redirect_uris(fields: &mut Fields<'_>, old: Option<&Provider>) -> Vec<RedirectUri> {
    let Some(sent) = fields.sent("redirect_uris") else {
        return match old {
            Some(old) => old.redirect_uris.clone(),
            None => {
                fields.complain("redirect_uris", REQUIRED);
                Vec::new()
            }
        };
    };
    let Some(items) = sent.as_array() else {
        let text = format!("Expected a list of items but got type \"{}\".", python_type(sent));
        fields.complain_deep("redirect_uris", json!({ "non_field_errors": [text] }));
        return Vec::new();
    };
    let read: Vec<_> = items.iter().map(redirect_uri).collect();
    if read.iter().any(Result::is_err) {
        let errors = read.into_iter().map(|item| item.err().unwrap_or_else(|| json!({}))).collect();
        fields.complain_deep("redirect_uris", errors);
        return Vec::new();
    }
    let uris: Vec<_> = read.into_iter().filter_map(Result::ok).collect();
    for uri in uris.iter().filter(|uri| uri.matching == Matching::Regex) {
        if regex::Regex::new(&uri.url).is_err() {
            fields.complain("redirect_uris", format!("Invalid Regex Pattern: {}", uri.url));
        }
    }
    uris
}

/// One item, or its errors.
fn redirect_uri(item: &Value) -> Result<RedirectUri, Value> {
    let Some(item) = item.as_object() else {
        let text = format!("Invalid data. Expected a dictionary, but got {}.", python_type(item));
        return Err(json!({ "non_field_errors": [text] }));
    };
    let mut errors = Map::new();
    let matching = match item.get("matching_mode").map(|mode| (mode.as_str(), mode)) {
        Some((Some("strict"), _)) => Matching::Strict,
        Some((Some("regex"), _)) => Matching::Regex,
        Some((text, mode)) => {
            let text = text.map_or_else(|| mode.to_string(), str::to_owned);
            errors.insert("matching_mode".to_owned(), json!([format!("\"{text}\" is not a valid choice.")]));
            Matching::Strict
        }
        None => {
            errors.insert("matching_mode".to_owned(), json!([REQUIRED]));
            Matching::Strict
        }
    };
    let url = match item.get("url") {
        Some(Value::String(url)) => url.clone(),
        Some(_) => {
            errors.insert("url".to_owned(), json!(["Not a valid string."]));
            String::new()
        }
        None => {
            errors.insert("url".to_owned(), json!([REQUIRED]));
            String::new()
        }
    };
    if errors.is_empty() { Ok(RedirectUri { matching, url }) } else { Err(Value::Object(errors)) }
}
