//! Diagnoses: the cause behind what is not as expected.

mod access;
mod auth_address;
mod auth_behind_itself;
mod auth_elsewhere;
mod authentik_down;
mod bad_traefik_file;
mod bridge_believes;
mod bridge_silent;
mod claim_missing;
mod claim_wrong;
mod client_secret;
mod client_unknown;
mod console_without_sso;
mod cookie_ended;
mod cookie_rejected;
mod cookie_twice;
mod cookie_weak;
mod core_session_lost;
mod deploy_exposes;
mod detour;
mod end_session_broken;
mod endpoint_broken;
mod files_not_loaded;
mod flow_logs_out;
mod forwarded_forged;
mod forwarded_missing;
mod grafana_expression;
mod grafana_open;
mod grafana_refuses;
mod grafana_sign_out;
mod grafana_state;
mod groups_empty;
mod groups_not_a_list;
mod groups_of_others;
mod groups_separator;
mod header_encoding;
mod header_leak;
mod header_size;
mod header_wrong;
mod host_without_outpost;
mod http_scheme;
mod internal_name;
mod issuer;
mod key_undecodable;
mod key_unknown;
mod let_in;
mod login_accepted;
mod login_tells;
mod logout_does_nothing;
mod minio_unready;
mod no_bucket;
mod no_code;
mod no_discovery;
mod no_flow;
mod no_login;
mod no_policy;
mod no_router;
mod no_signing_key;
mod not_in_outpost;
mod other_audience;
mod other_upstream;
mod outpost_not_told;
mod outpost_takes_all;
mod own_authorize;
mod patcher_harms;
mod pattern;
mod policy_other;
mod redirect_uri;
mod redirect_uri_open;
mod redirects_to_itself;
mod request_changed;
mod role_policy;
mod router_disabled;
mod router_unprotected;
mod sent_round_once;
mod service_down;
mod session_lost;
mod sign_out_broken;
mod sign_out_keeps;
mod sign_out_undone;
mod signed_host;
mod stale_session;
mod state_mismatch;
mod sts_unreachable;
mod subject;
mod token_ended;
mod unlisted_header;
mod url_lost;
mod userinfo_masked;
mod verifier;
mod websocket;

pub(crate) use subject::AUTHORIZE;
pub(crate) use subject::copies;
pub use subject::{Diagnosed, Diagnosis, Pointer, Subject};

/// Every diagnosis, the most specific cause first.
pub const ALL: &[&dyn Diagnosis] = &[
    &files_not_loaded::FilesNotLoaded,
    &patcher_harms::PatcherHarms,
    &deploy_exposes::DeployExposes,
    &bad_traefik_file::BadTraefikFile,
    &router_disabled::RouterDisabled,
    &auth_behind_itself::AuthBehindItself,
    &auth_address::AuthAddress,
    &auth_elsewhere::AuthElsewhere,
    &outpost_takes_all::OutpostTakesAll,
    &redirects_to_itself::RedirectsToItself,
    &sent_round_once::SentRoundOnce,
    &router_unprotected::RouterUnprotected,
    &host_without_outpost::HostWithoutOutpost,
    &no_router::NoRouter,
    &other_upstream::OtherUpstream,
    &internal_name::InternalName,
    &authentik_down::AuthentikDown,
    &not_in_outpost::NotInOutpost,
    &redirect_uri_open::RedirectUriOpen,
    &http_scheme::HttpScheme,
    &own_authorize::OwnAuthorize,
    &no_code::NoCode,
    &bridge_believes::BridgeBelieves,
    &bridge_silent::BridgeSilent,
    &cookie_rejected::CookieRejected,
    &cookie_ended::CookieEnded,
    &pattern::Pattern,
    &unlisted_header::UnlistedHeader,
    &let_in::LetIn,
    &cookie_twice::CookieTwice,
    &cookie_weak::CookieWeak,
    &state_mismatch::StateMismatch,
    &session_lost::SessionLost,
    &header_size::HeaderSize,
    &stale_session::StaleSession,
    &url_lost::UrlLost,
    &detour::Detour,
    &core_session_lost::CoreSessionLost,
    &groups_separator::GroupsSeparator,
    &header_encoding::HeaderEncoding,
    &header_leak::HeaderLeak,
    &forwarded_forged::ForwardedForged,
    &forwarded_missing::ForwardedMissing,
    &login_accepted::LoginAccepted,
    &login_tells::LoginTells,
    &redirect_uri::RedirectUri,
    &client_unknown::ClientUnknown,
    &no_discovery::NoDiscovery,
    &issuer::Issuer,
    &grafana_state::GrafanaState,
    &grafana_refuses::GrafanaRefuses,
    &grafana_open::GrafanaOpen,
    &client_secret::ClientSecret,
    &userinfo_masked::UserinfoMasked,
    &claim_missing::ClaimMissing,
    &endpoint_broken::EndpointBroken,
    &verifier::Verifier,
    &no_signing_key::NoSigningKey,
    &key_undecodable::KeyUndecodable,
    &key_unknown::KeyUnknown,
    &token_ended::TokenEnded,
    &groups_not_a_list::GroupsNotAList,
    &groups_empty::GroupsEmpty,
    &groups_of_others::GroupsOfOthers,
    &no_policy::NoPolicy,
    &other_audience::OtherAudience,
    &minio_unready::MinioUnready,
    &no_bucket::NoBucket,
    &signed_host::SignedHost,
    &sts_unreachable::StsUnreachable,
    &console_without_sso::ConsoleWithoutSso,
    &role_policy::RolePolicy,
    &policy_other::PolicyOther,
    &grafana_sign_out::GrafanaSignOut,
    &grafana_expression::GrafanaExpression,
    &claim_wrong::ClaimWrong,
    &header_wrong::HeaderWrong,
    &websocket::Websocket,
    &request_changed::RequestChanged,
    &sign_out_broken::SignOutBroken,
    &sign_out_keeps::SignOutKeeps,
    &end_session_broken::EndSessionBroken,
    &no_flow::NoFlow,
    &logout_does_nothing::LogoutDoesNothing,
    &outpost_not_told::OutpostNotTold,
    &flow_logs_out::FlowLogsOut,
    &sign_out_undone::SignOutUndone,
    &access::Access,
    &no_login::NoLogin,
    &service_down::ServiceDown,
];

/// The causes recognised in `subject`, the most specific first.
pub fn examine(subject: &Subject<'_>) -> Vec<Diagnosed> {
    ALL.iter().filter_map(|diagnosis| diagnosis.examine(subject)).collect()
}
