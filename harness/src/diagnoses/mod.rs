//! Diagnoses: the cause behind what is not as expected.

mod bad_traefik_file;
mod claim_missing;
mod grafana_expression;
mod groups_separator;
mod host_without_outpost;
mod no_policy;
mod no_signing_key;
mod not_in_outpost;
mod redirect_uri;
mod router_disabled;
mod router_unprotected;
mod sign_out_undone;
mod state_mismatch;
mod subject;
mod unlisted_header;

pub use subject::{Diagnosed, Diagnosis, Pointer, Subject};

/// Every diagnosis, the most specific cause first.
pub const ALL: &[&dyn Diagnosis] = &[
    &bad_traefik_file::BadTraefikFile,
    &router_disabled::RouterDisabled,
    &router_unprotected::RouterUnprotected,
    &host_without_outpost::HostWithoutOutpost,
    &not_in_outpost::NotInOutpost,
    &unlisted_header::UnlistedHeader,
    &groups_separator::GroupsSeparator,
    &redirect_uri::RedirectUri,
    &no_signing_key::NoSigningKey,
    &claim_missing::ClaimMissing,
    &no_policy::NoPolicy,
    &grafana_expression::GrafanaExpression,
    &sign_out_undone::SignOutUndone,
    &state_mismatch::StateMismatch,
];

/// The causes recognised in `subject`, the most specific first.
pub fn examine(subject: &Subject<'_>) -> Vec<Diagnosed> {
    ALL.iter().filter_map(|diagnosis| diagnosis.examine(subject)).collect()
}
