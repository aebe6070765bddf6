//! With a store the answers are the recorded ones too, as they are in memory.

use ssoproof_embedded::authentik::Profile;

use crate::postgres::Postgres;
use crate::recorded::play::played_on;
use crate::server::{apply_defaults, server};

macro_rules! recordings {
    ($($name:ident: $recording:literal;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let Some(postgres) = Postgres::start().await else { return };
                apply_defaults(postgres.config()).await;
                let authentik = server(postgres.config()).await;
                let played = played_on(authentik, Profile::V2026_2, $recording).await;
                assert!(!played.is_empty());
                for exchange in played {
                    let place = format!("[{}] {}", exchange.at, exchange.request);
                    assert_eq!(exchange.differences, Vec::<String>::new(), "{place}");
                }
            }
        )*
    };
}

recordings! {
    admin_signs_in_and_services_are_told_who: "20-login-alice";
    code_flow_of_grafana: "41-oidc-code-flow-grafana";
    sign_out_drops_every_service_and_keeps_the_core_session: "30-signout-full-chain";
    token_variants: "44-oidc-token-variants";
}
