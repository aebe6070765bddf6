//! What happens while the database is down, refuses, says nothing, or holds what nobody can read.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ssoproof_embedded::authentik::{Profile, Settings, Store};
use ssoproof_embedded::logs::Logs;
use tokio::net::TcpListener;
use tokio_postgres::{Client, Config};

use crate::client::{Browser, TOKEN, challenge, executor};
use crate::postgres::{PASSWORD, Postgres};
use crate::server::{ADMIN_PASSWORD, apply_defaults, logged_server, server, settings, until};
use crate::world::World;

/// A request that waits for the database is refused by then.
const BOUND: Duration = Duration::from_secs(5);

/// Asks for `path` within the bound.
async fn status(browser: &mut Browser, path: &str) -> u16 {
    let since = Instant::now();
    let status = browser.get(path).await.status().as_u16();
    assert!(since.elapsed() <= BOUND, "{path} took {:?}", since.elapsed());
    status
}

#[tokio::test]
async fn a_database_that_is_down_fails_closed_and_one_that_is_back_needs_no_restart() {
    let Some(mut postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let mut world = World::of(server(postgres.config()).await, Profile::V2026_2).await;
    let service = world.signed_in_at_stream().await;
    world.browser.log_in("akadmin", ADMIN_PASSWORD).await;
    let mut browser = Browser::new(&world.authentik);
    browser.cookies = world.browser.cookies.clone();

    postgres.stop();
    for (path, expected) in [
        ("/-/health/live/", 200),
        ("/outpost.goauthentik.io/ping", 204),
        ("/-/health/ready/", 503),
        ("/api/v3/core/users/me/", 500),
        (&executor("default-authentication-flow", ""), 500),
        ("/application/o/authorize/", 500),
    ] {
        assert_eq!(status(&mut browser, path).await, expected, "{path}");
    }
    let since = Instant::now();
    let refused = world.at_stream(&service).await;
    assert_eq!((refused.response.status().as_u16(), refused.identity), (500, None));
    assert!(since.elapsed() <= BOUND);

    postgres.resume().await;
    until(&mut browser, "/-/health/ready/", 200).await;
    assert_eq!(browser.me().await, 200);
    let identity = world.identity_at_stream(&service).await;
    assert_eq!(identity.unwrap()["x-authentik-username"], b"alice");
}

#[tokio::test]
async fn a_wrong_password_is_never_ready_and_the_log_says_why() {
    let Some(postgres) = Postgres::start().await else { return };
    let logs = Logs::default();
    let mut config = postgres.config();
    config.password("not-the-Passw0rd!");
    let server = logged_server(config, &logs).await;
    let mut browser = Browser::new(&server);
    for _ in 0..3 {
        assert_eq!(status(&mut browser, "/-/health/ready/").await, 503);
    }
    assert_eq!(status(&mut browser, "/-/health/live/").await, 200);
    let lines = logs.tail("authentik", 100);
    let waiting: Vec<_> = lines.iter().filter(|line| line.starts_with("waiting for PostgreSQL")).collect();
    assert_eq!(waiting.len(), 1, "{lines:?}");
    assert!(waiting[0].contains("password authentication failed for user \"authentik\""), "{lines:?}");
    for secret in ["not-the-Passw0rd!", PASSWORD, TOKEN, ADMIN_PASSWORD, "secret-key-of-server-and-worker"] {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{lines:?}");
    }
}

#[tokio::test]
async fn a_database_that_says_nothing_is_given_up_in_time_by_all_who_wait() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut config = Config::new();
    config.host("127.0.0.1").port(silent.local_addr().unwrap().port()).user("authentik").password(PASSWORD);
    let server = server(config).await;
    let asked = (0..8).map(|_| {
        let mut browser = Browser::new(&server);
        tokio::spawn(async move { status(&mut browser, "/api/v3/core/users/me/").await })
    });
    for answer in asked.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap(), 500);
    }
}

#[tokio::test]
async fn what_the_database_does_not_take_is_no_success_and_is_not_lost() {
    let Some(postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let first = server(postgres.config()).await;
    let mut browser = Browser::new(&first);
    browser.admin("GET", "/api/v3/core/users/", Value::Null, 200).await;

    let database = postgres.connect().await;
    database
        .batch_execute("ALTER TABLE authentik_row ADD CONSTRAINT is_full CHECK (kind <> 'users') NOT VALID")
        .await
        .unwrap();
    let user = json!({ "username": "alice", "name": "Alice" });
    browser.admin("POST", "/api/v3/core/users/", user, 500).await;
    database.batch_execute("ALTER TABLE authentik_row DROP CONSTRAINT is_full").await.unwrap();

    let second = server(postgres.config()).await;
    let path = "/api/v3/core/users/";
    let here = browser.admin("GET", path, Value::Null, 200).await;
    let there = Browser::new(&second).admin("GET", path, Value::Null, 200).await;
    assert_eq!(here["results"], there["results"]);
}

/// Keeps table `kind` of `database` from taking another row.
async fn close(database: &Client, kind: &str) {
    let closed =
        format!("ALTER TABLE authentik_row ADD CONSTRAINT closed CHECK (kind <> '{kind}') NOT VALID");
    database.batch_execute(&closed).await.unwrap();
}

#[tokio::test]
async fn what_the_database_refuses_fails_one_request_and_no_other() {
    let Some(postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let first = server(postgres.config()).await;
    let (mut admin, mut somebody) = (Browser::new(&first), Browser::new(&first));
    admin.make_user("alice").await;
    close(&postgres.connect().await, "groups").await;

    let group = json!({ "name": "refused" });
    admin.admin("POST", "/api/v3/core/groups/", group, 500).await;
    assert_eq!(somebody.log_in("alice", "alice-Passw0rd!").await["component"], "xak-flow-redirect");
    assert_eq!(somebody.me().await, 200);
    admin.make_user("bob").await;
    let path = "/api/v3/core/groups/?name=refused";
    assert_eq!(admin.admin("GET", path, Value::Null, 200).await["pagination"]["count"], 0);

    let second = server(postgres.config()).await;
    let elsewhere = Browser::new(&second).log_in("bob", "bob-Passw0rd!").await;
    assert_eq!(elsewhere["component"], "xak-flow-redirect");
}

#[tokio::test]
async fn requests_beside_one_that_is_refused_are_kept() {
    let Some(postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let first = server(postgres.config()).await;
    close(&postgres.connect().await, "groups").await;
    let asked = (0..48).map(|number| {
        let mut browser = Browser::new(&first);
        tokio::spawn(async move {
            if number % 2 == 0 {
                browser.make_user(&format!("user-{number}")).await;
            } else {
                let group = json!({ "name": format!("group-{number}") });
                browser.admin("POST", "/api/v3/core/groups/", group, 500).await;
            }
        })
    });
    for done in asked.collect::<Vec<_>>() {
        done.await.unwrap();
    }
    let second = server(postgres.config()).await;
    let path = "/api/v3/core/users/?page_size=100";
    let here = Browser::new(&first).admin("GET", path, Value::Null, 200).await;
    let there = Browser::new(&second).admin("GET", path, Value::Null, 200).await;
    assert_eq!(there["pagination"]["count"], 25);
    assert_eq!(here["results"], there["results"]);
}

#[tokio::test]
async fn what_is_nested_too_deep_to_be_read_again_is_refused() {
    let Some(postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let first = server(postgres.config()).await;
    let mut admin = Browser::new(&first);
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    for (depth, status) in [(90, 201), (120, 500)] {
        let group = json!({ "name": format!("nested-{depth}"), "attributes": { "deep": nested(depth) } });
        admin.admin("POST", "/api/v3/core/groups/", group, status).await;
    }
    let second = server(postgres.config()).await;
    let found =
        Browser::new(&second).admin("GET", "/api/v3/core/groups/?name=nested-90", Value::Null, 200).await;
    assert_eq!(found["pagination"]["count"], 1);
}

#[tokio::test]
async fn a_nul_character_is_kept_like_any_other() {
    let Some(postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let (first, second) = (server(postgres.config()).await, server(postgres.config()).await);
    let mut browser = Browser::new(&first);
    let path = executor("default-authentication-flow", "");
    browser.get(&path).await;
    assert_eq!(browser.post(&path, json!({ "uid_field": "a\0b" })).await.status(), 302);
    let mut elsewhere = Browser::new(&second);
    elsewhere.cookies = browser.cookies.clone();
    assert_eq!(challenge(&elsewhere.get(&path).await)["pending_user"], "a\0b");
}

#[tokio::test]
async fn a_key_may_be_of_any_length_and_hold_any_character() {
    let Some(postgres) = Postgres::start().await else { return };
    // Random, for PostgreSQL compresses what repeats itself.
    let token: String = (0..10_000).map(|_| rand::random::<char>()).collect();
    let logs = Logs::default();
    let store = Store::new(postgres.config(), logs.clone());
    store.wait().await;
    let fresh = Settings { bootstrap_token: format!("\0{token}"), ..settings(None, &logs) };
    store.apply_defaults(&fresh).await.unwrap();
    let server = server(postgres.config()).await;
    let mut browser = Browser::new(&server);
    browser.log_in("akadmin", ADMIN_PASSWORD).await;
    let path = "/api/v3/core/tokens/authentik-bootstrap-token/view_key/";
    let shown = browser.get(path).await;
    let shown: Value = serde_json::from_slice(shown.body()).unwrap();
    assert_eq!(shown["key"], format!("\0{token}"));
}

#[tokio::test]
async fn a_row_that_does_not_read_is_an_error_and_stays() {
    let Some(postgres) = Postgres::start().await else { return };
    apply_defaults(postgres.config()).await;
    let database = postgres.connect().await;
    let damage = "UPDATE authentik_row SET value = (value::jsonb - 'username')::json WHERE kind = 'users'; \
                  UPDATE authentik_revision SET revision = revision + 1";
    database.batch_execute(damage).await.unwrap();
    let logs = Logs::default();
    let server = logged_server(postgres.config(), &logs).await;
    let mut browser = Browser::new(&server);
    assert_eq!(browser.me().await, 500);
    let lines = logs.tail("authentik", 10);
    assert!(lines.iter().any(|line| line.contains("row `users` 4 does not fit")), "{lines:?}");
}
