//! The rules: each looks for one thing and says how it is proved.

mod alias_strategy;
mod auth_address;
mod auth_guarded;
mod authentik_providers;
mod catch_all;
mod disabled;
mod drift;
mod duplicate;
mod grafana_expression;
mod grafana_urls;
mod minio_claim;
mod no_router;
mod open_router;
mod outpost;
mod pattern;
mod provider_keys;
mod redirect_loop;
mod redirect_uris;
mod refused_file;
mod request_headers;
mod response_headers;
mod scopes;
mod trust;
mod upstream;

use super::finding::{Code, Finding};
use super::subject::Subject;

/// Something to look for.
pub(super) trait Rule: Sync {
    /// The kinds of its findings.
    fn codes(&self) -> &'static [&'static Code];

    /// Adds what is found.
    fn examine(&self, subject: &Subject, into: &mut Vec<Finding>);
}

/// Every rule. A new one is a file and a line.
pub(super) const ALL: &[&dyn Rule] = &[
    &refused_file::RefusedFile,
    &duplicate::Defined,
    &open_router::OpenRouter,
    &disabled::Disabled,
    &no_router::NoRouter,
    &upstream::Upstream,
    &catch_all::CatchAll,
    &outpost::Outpost,
    &auth_guarded::AuthGuarded,
    &redirect_loop::RedirectLoop,
    &auth_address::AuthAddress,
    &response_headers::ResponseHeaders,
    &pattern::Pattern,
    &request_headers::RequestHeaders,
    &trust::Trust,
    &alias_strategy::AliasStrategy,
    &authentik_providers::AuthentikProviders,
    &redirect_uris::RedirectUris,
    &provider_keys::ProviderKeys,
    &scopes::Scopes,
    &grafana_expression::GrafanaExpression,
    &grafana_urls::GrafanaUrls,
    &minio_claim::MinioClaim,
    &drift::Drift,
];

/// Every kind of finding.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    ALL.iter().flat_map(|rule| rule.codes()).copied()
}
