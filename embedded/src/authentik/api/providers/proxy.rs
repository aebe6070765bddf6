//! `providers/proxy/` (`01-config-api`, `02-config-errors`, `48-signout-with-user-logout-flow`).

use serde_json::{Map, Value, json};
use url::Url;

use super::super::call::{View, extended};
use super::super::collection::{Editable, Resource};
use super::super::fields::Fields;
use super::common;
use crate::authentik::model::{Provider, Proxy, RedirectUri};
use crate::authentik::oauth2::redirect_uri::Matching;
use crate::authentik::state::State;

/// The scopes whose default mappings a new proxy provider takes, in the order shown.
const SCOPES: [&str; 5] = ["openid", "email", "profile", "entitlements", "ak_proxy"];
const MODES: [&str; 3] = ["proxy", "forward_single", "forward_domain"];

pub(in crate::authentik::api) struct ProxyProviders;

impl Resource for ProxyProviders {
    type Key = u64;
    type Item = Provider;

    const MODEL: &'static str = "ProxyProvider";
    const REMOVE: Option<fn(&mut State, &u64)> = Some(common::remove);

    fn rows(state: &State) -> Vec<&Provider> {
        state.providers.values().filter(|provider| provider.proxy.is_some()).collect()
    }

    fn find(state: &State, segment: &str) -> Option<u64> {
        let pk = segment.parse().ok()?;
        state.providers.get(&pk)?.proxy.as_ref().map(|_| pk)
    }

    fn item<'s>(state: &'s State, key: &u64) -> Option<&'s Provider> {
        state.providers.get(key)
    }

    fn show(view: View<'_>, provider: &Provider) -> Value {
        let outposts = view.state.outposts.values();
        let outposts = outposts.filter(|outpost| outpost.providers.contains(&provider.pk));
        let value = provider.proxy.as_ref().map(|proxy| {
            json!({
                "client_id": provider.client_id,
                "internal_host": proxy.internal_host,
                "external_host": proxy.external_host,
                "internal_host_ssl_validation": true,
                "certificate": null,
                "skip_path_regex": proxy.skip_path_regex,
                "basic_auth_enabled": proxy.basic_auth_enabled,
                "basic_auth_password_attribute": proxy.basic_auth_password_attribute,
                "basic_auth_user_attribute": proxy.basic_auth_user_attribute,
                "mode": proxy.mode,
                "intercept_header_auth": proxy.intercept_header_auth,
                "redirect_uris": common::redirect_uris(provider),
                "cookie_domain": proxy.cookie_domain,
                "jwt_federation_sources": [],
                "jwt_federation_providers": [],
                "access_token_validity": provider.access_token_validity.text,
                "refresh_token_validity": provider.refresh_token_validity.text,
                "outpost_set": outposts.map(|outpost| format!("Outpost {}", outpost.name)).collect::<Vec<_>>(),
            })
        });
        extended(common::base(view, provider), value.unwrap_or_default())
    }

    fn order(provider: &Provider) -> String {
        provider.name.clone()
    }
}

impl Editable for ProxyProviders {
    fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&Provider>) -> Provider {
        let mut provider = common::read(view, fields, old);
        let before = old.and_then(|old| old.proxy.as_ref());
        let external = fields.required("external_host", before.map(|proxy| proxy.external_host.as_str()));
        if !external.is_empty() && !is_url(&external) {
            fields.complain("external_host", "Enter a valid URL.");
        }
        let proxy = Proxy {
            mode: fields.choice("mode", before.map(|proxy| proxy.mode.as_str()), &MODES),
            internal_host: fields.text("internal_host", before.map(|proxy| proxy.internal_host.as_str()), ""),
            cookie_domain: fields.text("cookie_domain", before.map(|proxy| proxy.cookie_domain.as_str()), ""),
            skip_path_regex: fields.text(
                "skip_path_regex",
                before.map(|proxy| proxy.skip_path_regex.as_str()),
                "",
            ),
            intercept_header_auth: fields.flag(
                "intercept_header_auth",
                before.map(|proxy| proxy.intercept_header_auth),
                true,
            ),
            basic_auth_enabled: fields.flag(
                "basic_auth_enabled",
                before.map(|proxy| proxy.basic_auth_enabled),
                false,
            ),
            basic_auth_user_attribute: fields.text(
                "basic_auth_user_attribute",
                before.map(|proxy| proxy.basic_auth_user_attribute.as_str()),
                "",
            ),
            basic_auth_password_attribute: fields.text(
                "basic_auth_password_attribute",
                before.map(|proxy| proxy.basic_auth_password_attribute.as_str()),
                "",
            ),
            external_host: external,
        };
        if fields.fine() && sent_as_proxy(fields) {
            fields.complain("internal_host", "Internal host cannot be empty when forward auth is disabled.");
        }
        provider.redirect_uris = callbacks(&proxy.external_host);
        if old.is_none() && fields.sent("property_mappings").is_none() {
            provider.property_mappings = default_mappings(view.state);
        }
        provider.proxy = Some(proxy);
        provider
    }

    fn store(state: &mut State, provider: Provider, body: &Map<String, Value>) -> u64 {
        common::store(state, provider, body)
    }
}

/// Whether the body alone reads as mode `proxy` without an internal host. The stored mode is not looked at, so a
/// PATCH that leaves `mode` out is refused (`48-signout-with-user-logout-flow`, hop 0).
fn sent_as_proxy(fields: &Fields<'_>) -> bool {
    let text = |name: &str| fields.sent(name).and_then(Value::as_str);
    text("mode").unwrap_or("proxy") == "proxy" && text("internal_host").unwrap_or_default().is_empty()
}

/// The redirect URIs that an external host gives.
fn callbacks(external: &str) -> Vec<RedirectUri> {
    let strict = |url| RedirectUri { matching: Matching::Strict, url };
    let host = external.trim_end_matches('/');
    vec![
        strict(format!("{host}/outpost.goauthentik.io/callback?X-authentik-auth-callback=true")),
        strict(format!("{external}?X-authentik-auth-callback=true")),
    ]
}

fn default_mappings(state: &State) -> Vec<uuid::Uuid> {
    let mapping = |scope: &&str| {
        let mut managed = state.mappings.values().filter(|mapping| mapping.managed.is_some());
        managed.find(|mapping| mapping.scope_name == *scope).map(|mapping| mapping.pk)
    };
    SCOPES.iter().filter_map(mapping).collect()
}

fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
}
