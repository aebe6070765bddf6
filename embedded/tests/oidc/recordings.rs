//! Recordings of 2026.2.2 sent again, in the order of the recording, against a provisioned Authentik.

use crate::world::World;

macro_rules! recordings {
    ($($name:ident: $file:literal;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                World::replay(include_str!(concat!("data/", $file, ".json"))).await;
            }
        )*
    };
}

recordings! {
    stranger_reaches_the_login_page: "10-unauth-chain-stream";
    strangers_of_every_kind_are_redirected: "11-unauth-variants";
    forward_auth_endpoints_answer_a_gateway: "12-outpost-auth-endpoint-unauth";
    outpost_paths_answer_a_stranger: "13-outpost-paths-unauth";
    admin_signs_in_and_services_are_told_who: "20-login-alice";
    viewer_is_denied_by_bindings: "20-login-carol";
    group_names_and_parents_arrive_as_recorded: "23-groups-names";
    identity_headers_are_set_whatever_the_client_sends: "24-spoof-auth";
    sign_out_drops_every_service_and_keeps_the_core_session: "30-signout-full-chain";
    sign_out_ignores_where_to_go: "33-signout-rd-2";
    logout_parameter_signs_out_on_any_path: "34-logout-query-signature";
    sign_out_takes_a_form: "35-signout-post";
    discovery_and_keys_agree: "40-oidc-discovery-jwks";
    code_flow_of_grafana: "41-oidc-code-flow-grafana";
    groups_scope_doubles_the_groups: "41-oidc-code-flow-groupscope";
    code_flow_of_minio: "41-oidc-code-flow-minio";
    provider_without_a_key_signs_with_its_secret: "41-oidc-code-flow-nokey";
    provider_without_mappings_says_nothing: "41-oidc-code-flow-nomappings";
    outsider_gets_tokens_only_of_open_applications: "42-oidc-user-mallory";
    authorize_variants: "43-oidc-authorize-variants";
    token_variants: "44-oidc-token-variants";
    end_session_ends_nothing_by_default: "45-end-session-0";
    end_session_does_not_redirect_back: "45-end-session-2";
    end_session_with_a_logout_flow_ends_everything: "47-end-session-user-logout-flow";
    sign_out_with_a_logout_flow_ends_everything: "48-signout-with-user-logout-flow";
    end_session_of_strangers: "49-end-session-unauth";
    identity_is_that_of_the_login: "53-group-removed-live-session";
    app_password_passes_the_outpost: "54-header-auth-at-outpost";
}
