//! With a store the answers are the recorded ones too, as they are in memory.

use crate::postgres::Postgres;
use crate::server::{apply_defaults, server};
use crate::world::World;

macro_rules! recordings {
    ($($name:ident: $file:literal;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let Some(postgres) = Postgres::start().await else { return };
                apply_defaults(postgres.config()).await;
                let world = World::of(server(postgres.config()).await).await;
                world.replay_here(include_str!(concat!("../oidc/data/", $file, ".json"))).await;
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
