//! What every kind of provider shows and reads.

use serde_json::{Map, Value, json};

use super::super::call::View;
use super::super::fields::Fields;
use crate::authentik::model::Provider;
use crate::authentik::password::random_text;
use crate::authentik::state::State;

/// The lengths of a generated client id and secret.
const CLIENT_ID_LENGTH: usize = 40;
const CLIENT_SECRET_LENGTH: usize = 128;

/// How a kind of provider names itself.
struct Kind {
    component: &'static str,
    verbose_name: &'static str,
    model: &'static str,
}

const PLAIN: Kind = Kind { component: "", verbose_name: "provider", model: "authentik_core.provider" };
const OAUTH2: Kind = Kind {
    component: "ak-provider-oauth2-form",
    verbose_name: "OAuth2/OpenID Provider",
    model: "authentik_providers_oauth2.oauth2provider",
};
const PROXY: Kind = Kind {
    component: "ak-provider-proxy-form",
    verbose_name: "Proxy Provider",
    model: "authentik_providers_proxy.proxyprovider",
};

/// A provider without what its kind adds.
pub(in crate::authentik::api) fn base(view: View<'_>, provider: &Provider) -> Value {
    shown_as(view, provider, if provider.proxy.is_some() { &PROXY } else { &OAUTH2 })
}

/// A provider as an outpost lists it, without its kind.
pub(in crate::authentik::api) fn plain(view: View<'_>, provider: &Provider) -> Value {
    shown_as(view, provider, &PLAIN)
}

fn shown_as(view: View<'_>, provider: &Provider, kind: &Kind) -> Value {
    let application = view.state.application_of(provider.pk);
    json!({
        "pk": provider.pk,
        "name": provider.name,
        "authentication_flow": provider.authentication_flow,
        "authorization_flow": provider.authorization_flow,
        "invalidation_flow": provider.invalidation_flow,
        "property_mappings": provider.property_mappings,
        "component": kind.component,
        "assigned_application_slug": application.map(|application| &application.slug),
        "assigned_application_name": application.map(|application| &application.name),
        "assigned_backchannel_application_slug": null,
        "assigned_backchannel_application_name": null,
        "verbose_name": kind.verbose_name,
        "verbose_name_plural": format!("{}s", kind.verbose_name),
        "meta_model_name": kind.model,
    })
}

/// The redirect URIs as the API writes them.
pub(super) fn redirect_uris(provider: &Provider) -> Value {
    let uris = provider
        .redirect_uris
        .iter()
        .map(|uri| json!({ "matching_mode": super::oauth2::matching_mode(uri.matching), "url": uri.url }));
    uris.collect()
}

/// Reads what every kind has; a new provider takes the rest from the defaults of an OAuth2 provider.
pub(super) fn read(view: View<'_>, fields: &mut Fields<'_>, old: Option<&Provider>) -> Provider {
    let flow = |pk| view.state.flows.contains_key(&pk);
    let name = fields.required("name", old.map(|old| old.name.as_str()));
    let pk = old.map_or(0, |old| old.pk);
    if view.state.providers.values().any(|other| other.name == name && other.pk != pk) {
        fields.complain("name", "provider with this name already exists.");
    }
    let authorization = fields.one("authorization_flow", old.map(|old| old.authorization_flow), flow);
    let invalidation = fields.one("invalidation_flow", old.map(|old| old.invalidation_flow), flow);
    Provider {
        pk,
        name,
        authentication_flow: fields.maybe(
            "authentication_flow",
            old.and_then(|old| old.authentication_flow),
            flow,
        ),
        authorization_flow: authorization.unwrap_or_default(),
        invalidation_flow: invalidation.unwrap_or_default(),
        property_mappings: fields.many(
            "property_mappings",
            old.map(|old| old.property_mappings.as_slice()),
            |pk| view.state.mappings.contains_key(&pk),
        ),
        confidential: old.is_none_or(|old| old.confidential),
        client_id: old.map_or_else(|| random_text(CLIENT_ID_LENGTH), |old| old.client_id.clone()),
        client_secret: old.map_or_else(|| random_text(CLIENT_SECRET_LENGTH), |old| old.client_secret.clone()),
        redirect_uris: old.map(|old| old.redirect_uris.clone()).unwrap_or_default(),
        signing_key: old.and_then(|old| old.signing_key),
        encryption_key: old.and_then(|old| old.encryption_key),
        include_claims_in_id_token: old.is_none_or(|old| old.include_claims_in_id_token),
        sub_mode: old.map_or_else(|| "hashed_user_id".to_owned(), |old| old.sub_mode.clone()),
        issuer_mode: old.map_or_else(|| "per_provider".to_owned(), |old| old.issuer_mode.clone()),
        access_code_validity: fields.lifetime(
            "access_code_validity",
            old.map(|old| &old.access_code_validity),
            "minutes=1",
        ),
        access_token_validity: fields.lifetime(
            "access_token_validity",
            old.map(|old| &old.access_token_validity),
            "hours=1",
        ),
        refresh_token_validity: fields.lifetime(
            "refresh_token_validity",
            old.map(|old| &old.refresh_token_validity),
            "days=30",
        ),
        logout_uri: old.map(|old| old.logout_uri.clone()).unwrap_or_default(),
        logout_method: old.map_or_else(|| "backchannel".to_owned(), |old| old.logout_method.clone()),
        proxy: old.and_then(|old| old.proxy.clone()),
    }
}

/// Puts a provider in its place; a new one takes the next number.
pub(super) fn store(state: &mut State, mut provider: Provider, _body: &Map<String, Value>) -> u64 {
    if provider.pk == 0 {
        state.last_provider += 1;
        provider.pk = state.last_provider;
    }
    let pk = provider.pk;
    state.providers.insert(pk, provider);
    pk
}

/// Takes a provider out of the applications and outposts, with its grants and sessions.
pub(super) fn remove(state: &mut State, pk: &u64) {
    state.providers.remove(pk);
    for application in state.applications.values_mut() {
        application.provider = application.provider.filter(|provider| provider != pk);
    }
    for outpost in state.outposts.values_mut() {
        outpost.providers.retain(|provider| provider != pk);
    }
    state.codes.retain(|_, grant| grant.provider != *pk);
    state.access_tokens.retain(|_, grant| grant.provider != *pk);
    state.refresh_tokens.retain(|_, grant| grant.provider != *pk);
    state.proxy_sessions.retain(|_, session| session.provider != *pk);
}
