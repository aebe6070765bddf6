//! What outlives a process, and what another process sees.

use serde_json::Value;
use ssoproof_embedded::authentik::Profile;

use crate::client::{Browser, executor};
use crate::postgres::Postgres;
use crate::server::{ADMIN_PASSWORD, apply_defaults, server};
use crate::world::World;

#[tokio::test]
async fn sign_in_survives_a_server_restart_at_the_core_and_at_a_service() {
    let Some(postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let mut world = World::of(server(postgres.config()).await, Profile::V2026_2).await;
    let service = world.signed_in_at_stream().await;
    world.browser.log_in("akadmin", ADMIN_PASSWORD).await;
    assert_eq!(world.browser.me().await, 200);
    let session = world.browser.cookies.clone();

    world.authentik = server(postgres.config()).await;
    let mut browser = Browser::new(&world.authentik);
    browser.cookies = session;
    assert_eq!(browser.me().await, 200);
    let identity = world.identity_at_stream(&service).await;
    assert_eq!(identity.unwrap()["x-authentik-username"], b"alice");
}

#[tokio::test]
async fn servers_on_one_database_share_sessions_and_their_end() {
    let Some(postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let (first, second) = (server(postgres.config()).await, server(postgres.config()).await);
    let mut here = Browser::new(&first);
    let mut there = Browser::new(&second);
    assert_eq!(there.me().await, 403);

    here.log_in("akadmin", ADMIN_PASSWORD).await;
    there.cookies = here.cookies.clone();
    assert_eq!(there.me().await, 200);
    there.get(&executor("default-invalidation-flow", "")).await;
    assert_eq!(here.me().await, 403);
}

#[tokio::test]
async fn without_a_worker_there_is_a_server_and_no_default() {
    let Some(postgres) = Postgres::start().await else { return };
    let server = server(postgres.config()).await;
    let mut browser = Browser::new(&server);
    let flow = executor("default-authentication-flow", "");
    assert_eq!(browser.get("/-/health/ready/").await.status(), 200);
    assert_eq!(browser.get("/if/flow/default-authentication-flow/").await.status(), 404);
    assert_eq!(browser.get(&flow).await.status(), 404);
    browser.admin("GET", "/api/v3/core/users/", Value::Null, 403).await;

    apply_defaults(postgres.config()).await;
    browser.admin("GET", "/api/v3/core/users/", Value::Null, 200).await;
    browser.log_in("akadmin", ADMIN_PASSWORD).await;
    assert_eq!(browser.me().await, 200);
}

#[tokio::test]
async fn defaults_are_applied_once_however_many_workers_start() {
    let Some(postgres) = Postgres::start().await else { return };
    tokio::join!(
        apply_defaults(postgres.config()),
        apply_defaults(postgres.config()),
        apply_defaults(postgres.config()),
    );
    apply_defaults(postgres.config()).await;
    let server = server(postgres.config()).await;
    let mut browser = Browser::new(&server);
    for (path, count) in [("core/users", 1), ("flows/instances", 5), ("outposts/instances", 1)] {
        let listed = browser.admin("GET", &format!("/api/v3/{path}/"), Value::Null, 200).await;
        assert_eq!(listed["pagination"]["count"], count, "{path}");
    }
}

#[tokio::test]
async fn requests_at_once_lose_nothing() {
    let Some(postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let first = server(postgres.config()).await;
    let made = (0..24).map(|number| {
        let mut browser = Browser::new(&first);
        tokio::spawn(async move { browser.make_user(&format!("user-{number}")).await })
    });
    for user in made.collect::<Vec<_>>() {
        user.await.unwrap();
    }
    let second = server(postgres.config()).await;
    let (mut browser, mut elsewhere) = (Browser::new(&first), Browser::new(&second));
    let path = "/api/v3/core/users/?page_size=100";
    let (here, there) = (
        browser.admin("GET", path, Value::Null, 200).await,
        elsewhere.admin("GET", path, Value::Null, 200).await,
    );
    assert_eq!(here["pagination"]["count"], 25);
    assert_eq!(here["results"], there["results"]);
    assert_eq!(elsewhere.log_in("user-7", "user-7-Passw0rd!").await["component"], "xak-flow-redirect");
}
