//! What happens when files change beyond what the test `truth` replays, and what the gateway does by itself.

use std::time::Duration;

use serde_json::{Value, json};
use ssoproof_embedded::gateway::Gateway;

use crate::client::get;
use crate::stub::Answer;
use crate::world::{World, settings};

const LIMIT: Duration = Duration::from_secs(10);
const MALFORMED: &str = "http:\n  routers:\n   - [unclosed";

/// A middleware with identity headers listed.
pub(crate) fn listed() -> Value {
    json!({ "authResponseHeaders":
        ["X-authentik-username", "X-authentik-groups", "X-authentik-email", "X-authentik-uid"] })
}

/// A gateway that does not watch its files.
async fn quiet(world: &World) -> Gateway {
    let mut settings = settings(world.folder.path());
    settings.watch = false;
    Gateway::start(settings).await.unwrap()
}

async fn denied() -> World {
    let world = World::new().await;
    world.auth.answers(Answer::new(401, &[], "denied"));
    world.put_middleware(&listed());
    world
}

fn open(world: &World) -> String {
    let text = std::fs::read_to_string(world.folder.path().join("a.yml")).unwrap();
    text.replace("\"middlewares\":[\"authentik@file\"]", "\"middlewares\":[]")
}

async fn watching(world: &World, throttle: Duration) -> Gateway {
    let mut settings = settings(world.folder.path());
    settings.throttle = throttle;
    Gateway::start(settings).await.unwrap()
}

async fn status(gateway: &Gateway) -> u16 {
    get(gateway.http(), "app.test", "/").await.status
}

fn protects(config: &ssoproof_deployment::traefik::RuntimeConfig) -> bool {
    config.router("app").is_some_and(|router| router.runs("authentik@file"))
}

#[tokio::test]
async fn a_bad_file_keeps_what_was_loaded_and_blocks_good_ones() {
    let world = denied().await;
    let gateway = quiet(&world).await;
    world.put("z.yml", MALFORMED);
    world.put("a.yml", &open(&world));
    let rejected = gateway.reload().unwrap_err();
    assert!(rejected.position.unwrap().contains("z.yml:"), "{}", rejected.message);
    assert_eq!((status(&gateway).await, gateway.version()), (401, 1));
    std::fs::remove_file(world.folder.path().join("z.yml")).unwrap();
    gateway.reload().unwrap();
    assert_eq!((status(&gateway).await, gateway.version()), (200, 2));
    gateway.reload().unwrap();
    assert_eq!(gateway.version(), 2, "the same files are no change");
}

#[tokio::test]
async fn a_bad_file_at_the_start_leaves_nothing_until_it_is_good() {
    let world = denied().await;
    world.put("b.yml", MALFORMED);
    let gateway = watching(&world, Duration::from_millis(20)).await;
    assert_eq!((status(&gateway).await, gateway.version()), (404, 0));
    std::fs::remove_file(world.folder.path().join("b.yml")).unwrap();
    gateway.wait_for(LIMIT, protects).await.unwrap();
    assert_eq!(status(&gateway).await, 401);
}

#[tokio::test]
async fn many_changes_within_the_throttle_end_at_the_last() {
    let world = denied().await;
    let closed = std::fs::read_to_string(world.folder.path().join("a.yml")).unwrap();
    let opened = open(&world);
    let gateway = watching(&world, Duration::from_millis(100)).await;
    for index in 0..12 {
        world.put("a.yml", &format!("{closed}\n# {index}\n"));
    }
    world.put("a.yml", &opened);
    gateway.wait_for(LIMIT, |config| !protects(config)).await.unwrap();
    assert!(gateway.version() < 12, "{}", gateway.version());
}

#[tokio::test]
async fn tls_routers_answer_on_the_tls_entry_point_alone() {
    let world = denied().await;
    let text = std::fs::read_to_string(world.folder.path().join("a.yml")).unwrap();
    world.put("a.yml", &text.replace("\"entryPoints\":[\"web\"]", "\"tls\":{}"));
    let settings = settings(world.folder.path());
    let client = ssoproof_embedded::dial::Client::new(settings.names.clone(), settings.upstream_tls.clone());
    let names = settings.names.clone();
    let gateway = Gateway::start(settings).await.unwrap();
    assert_eq!(status(&gateway).await, 404);
    names.insert("app.test", 443, gateway.https());
    let request = http::Request::get("https://app.test/x").body(http_body_util::Full::default()).unwrap();
    let response = client.send(request).await.unwrap();
    assert_eq!(response.status(), 401);
    let asked = world.auth.take().pop().unwrap();
    let value = |wanted: &str| asked.headers.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
    assert_eq!(value("X-Forwarded-Proto"), "https");
    assert_eq!(value("X-Forwarded-Port"), "443");
}

#[tokio::test]
async fn header_bytes_pass_unchanged() {
    let world = denied().await;
    world.auth.answers(Answer::new(200, &[("X-authentik-username", "Jörg Ødegård")], ""));
    let gateway = quiet(&world).await;
    let request = "GET /p/a%20b?x=%C3%B6 HTTP/1.1\r\nHost: app.test\r\nX-Name: Zoë\r\nX-Name: two\r\nConnection: close\r\n\r\n";
    assert_eq!(crate::client::send(gateway.http(), request.as_bytes()).await.status, 200);
    let seen = world.backend.take().pop().unwrap();
    assert_eq!(seen.line, "GET /p/a%20b?x=%C3%B6 HTTP/1.1");
    let values = |wanted: &str| -> Vec<_> {
        seen.headers.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(values("X-Authentik-Username"), ["Jörg Ødegård"]);
    assert_eq!(values("X-Name"), ["Zoë", "two"]);
}

#[tokio::test]
async fn dropping_the_gateway_closes_its_ports() {
    let world = denied().await;
    let gateway = quiet(&world).await;
    let (http, https) = (gateway.http(), gateway.https());
    drop(gateway);
    for address in [http, https] {
        let closed = async {
            while tokio::net::TcpStream::connect(address).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, closed).await.unwrap();
    }
}
