//! The worker, and what a version up to 2025.8 needs besides.

use std::time::Duration;

use ssoproof_embedded::authentik::{Authentik, Redis, Store, Worker};
use ssoproof_embedded::logs::Logs;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::client::{Browser, executor};
use crate::postgres::Postgres;
use crate::server::{ADMIN_PASSWORD, server, settings, until};

const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

#[tokio::test]
async fn a_worker_brings_the_defaults_beats_and_answers_for_its_health() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let server = server(postgres.config()).await;
    let logs = Logs::default();
    let store = Store::new(postgres.config(), logs.clone());
    let worker = Worker::start_at(LOOPBACK.into(), settings(None, &logs), store).await;
    let mut browser = Browser::new(&server);
    until(&mut browser, &executor("default-authentication-flow", ""), 200).await;
    browser.log_in("akadmin", ADMIN_PASSWORD).await;
    assert_eq!(browser.me().await, 200);

    browser.base = format!("http://{}", worker.address().unwrap());
    until(&mut browser, "/-/health/ready/", 200).await;
    assert_eq!(browser.get("/").await.status(), 200);
    let database = postgres.connect().await;
    let beats = "SELECT count(*) FROM authentik_worker WHERE seen > now() - interval '1 minute'";
    let beat = async {
        while database.query_one(beats, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), beat).await.unwrap();

    postgres.stop();
    until(&mut browser, "/-/health/ready/", 503).await;
    postgres.resume().await;
    until(&mut browser, "/-/health/ready/", 200).await;
}

#[tokio::test]
async fn a_worker_works_where_its_address_is_taken() {
    let Some(postgres) = Postgres::start().await else { return };
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let logs = Logs::default();
    let store = Store::new(postgres.config(), logs.clone());
    let worker = Worker::start_at(taken.local_addr().unwrap(), settings(None, &logs), store).await;
    assert_eq!(worker.address(), None);
    let server = server(postgres.config()).await;
    let mut browser = Browser::new(&server);
    until(&mut browser, &executor("default-authentication-flow", ""), 200).await;
}

#[tokio::test]
async fn a_version_that_needs_redis_is_not_ready_before_it_answers() {
    let Some(postgres) = Postgres::start().await else { return };
    let redis = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = redis.local_addr().unwrap();
    drop(redis);
    let logs = Logs::default();
    let needed = Redis { host: "127.0.0.1".to_owned(), port: address.port() };
    let store = Store::with_redis(postgres.config(), Some(needed), logs.clone());
    let server = Authentik::start(settings(Some(store), &logs)).await.unwrap();
    let mut browser = Browser::new(&server);
    assert_eq!(browser.get("/-/health/ready/").await.status(), 503);
    assert_eq!(browser.me().await, 500);
    let lines = logs.tail("authentik", 10);
    assert!(lines.iter().any(|line| line.starts_with("waiting for Redis: ")), "{lines:?}");

    let redis = TcpListener::bind(address).await.unwrap();
    let pongs = tokio::spawn(async move {
        loop {
            let (mut stream, _) = redis.accept().await.unwrap();
            let mut asked = [0; 64];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(b"+PONG\r\n").await;
        }
    });
    until(&mut browser, "/-/health/ready/", 200).await;
    assert_eq!(browser.me().await, 403);
    pongs.abort();
}
