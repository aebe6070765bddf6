//! Every recorded exchange that is modelled, sent through the gateway.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use ssoproof_deployment::traefik::Profile;
use ssoproof_embedded::gateway::Trusted;

use crate::client::{get, send};
use crate::recorded::{Case, ConfigCase, normal_answer, normal_request, read};
use crate::stub::{Answer, Seen, Stub};
use crate::world::World;

/// Not replayed: waits 30 s for the gateway's time-out.
const SLOW: [&str; 1] = ["auth_slow_32s"];

/// Headers of the auth server that pass Traefik and are too long for the client here. The shorter ones, and those of
/// clients, are made up in `long_headers_pass_as_recorded`.
const NOT_MODELLED_HEADERS: [(&str, usize); 2] =
    [("big_auth_header_900000", 900_000), ("big_auth_header_1200000", 1_200_000)];

/// Not modelled: Go templates (never run here), and files that were caught half written by the recording.
const NOT_MODELLED_FILES: [&str; 2] = ["template_broken", "unknown_field_second_file"];

const VERSIONS: [&str; 3] = ["3.0.4", "3.6.7", "3.7.15"];

/// The recordings of `name` for `version`: those of 3.6.7 but for what differs.
fn recordings<T: for<'de> serde::Deserialize<'de>>(version: &str, name: &str) -> BTreeMap<String, T> {
    let mut cases: BTreeMap<String, T> = read(&format!("3.6.7-{name}"));
    let own = format!("{}/tests/gateway/data/{version}-{name}.json", env!("CARGO_MANIFEST_DIR"));
    if std::path::Path::new(&own).exists() {
        cases.extend(read::<T>(&format!("{version}-{name}")));
    }
    cases
}

fn seen(stub: &Stub) -> Vec<Seen> {
    stub.take().iter().map(normal_request).collect()
}

async fn replay(name: &str, case: &Case, world: &World, address: std::net::SocketAddr) {
    world.auth.answers(match name {
        "auth_garbage" => Answer::Raw(b"garbage\r\n\r\n"),
        "auth_close" => Answer::Raw(b""),
        "auth_truncated" => Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"),
        "auth_status_100ish" => Answer::new(299, &[], ""),
        _ => case.answer.answer(),
    });
    let cookies: &[(&str, &str)] = match name {
        "addAuthCookies_backend_same" => {
            &[("Set-Cookie", "authentik_proxy_x=backend"), ("Set-Cookie", "b=1")]
        }
        _ => &[],
    };
    let mut headers = vec![("Content-Type", "text/plain"), ("X-Backend", "yes")];
    headers.extend(cookies);
    world.backend.answers(Answer::new(200, &headers, "backend back"));
    let got = send(address, case.request.as_bytes()).await;
    let recorded = |requests: &[crate::recorded::RecordedRequest]| -> Vec<Seen> {
        requests.iter().map(|request| request.normal()).collect()
    };
    assert_eq!(seen(&world.auth), recorded(&case.auth), "{name}: auth server");
    assert_eq!(seen(&world.backend), recorded(&case.backend), "{name}: backend");
    assert_eq!(seen(&world.outpost), recorded(&case.outpost), "{name}: outpost");
    assert_eq!(normal_answer(&got), case.client.normal(), "{name}: client");
}

#[tokio::test]
async fn forwarded_headers_are_as_recorded() {
    let world = World::new().await;
    for version in VERSIONS {
        let profile = Profile::for_version(version);
        let cases: BTreeMap<String, Case> = recordings(version, "1-forwarded-headers");
        assert!(cases.len() >= 36);
        for (name, case) in cases {
            let trusted =
                if name.contains("ep_insecure=True") { Trusted::Everybody } else { Trusted::Nobody };
            let mut options = World::listed();
            if name.contains("trustForwardHeader=True") {
                options["trustForwardHeader"] = json!(true);
            } else if name.contains("trustForwardHeader=False") {
                options["trustForwardHeader"] = json!(false);
            }
            world.put_middleware(&options);
            let gateway = world.gateway(profile, trusted).await;
            replay(&format!("{version} {name}"), &case, &world, gateway.http()).await;
        }
    }
}

#[tokio::test]
async fn identity_headers_are_as_recorded() {
    let world = World::new().await;
    world.put_middleware(&World::listed());
    for version in VERSIONS {
        let gateway = world.gateway(Profile::for_version(version), Trusted::Nobody).await;
        for (name, case) in recordings::<Case>(version, "2-identity-headers") {
            replay(&name, &case, &world, gateway.http()).await;
        }
    }
}

#[tokio::test]
async fn auth_answers_are_as_recorded() {
    let world = World::new().await;
    world.put_middleware(&World::listed());
    let gateway = world.gateway(Profile::for_version("3.6"), Trusted::Nobody).await;
    for (name, case) in recordings::<Case>("3.6.7", "3-auth-answers") {
        if SLOW.contains(&name.as_str()) || name.ends_with("_down") {
            continue;
        }
        replay(&name, &case, &world, gateway.http()).await;
    }
}

#[tokio::test]
async fn long_headers_pass_as_recorded() {
    let world = World::new().await;
    world.put_middleware(&World::listed());
    let gateway = world.gateway(Profile::for_version("3.6"), Trusted::Nobody).await;
    for (name, length, status) in [
        ("big_cookie_8000", 8_000, 200),
        ("big_cookie_60000", 60_000, 200),
        ("big_cookie_900000", 900_000, 200),
        ("big_cookie_1100000", 1_100_000, 431),
    ] {
        let cookie = "x".repeat(length);
        let request =
            format!("GET / HTTP/1.1\r\nHost: app.test\r\nCookie: a={cookie}\r\nConnection: close\r\n\r\n");
        assert_eq!(send(gateway.http(), request.as_bytes()).await.status, status, "{name}");
    }
    for (name, length) in [("big_auth_header_8000", 8_000), ("big_auth_header_60000", 60_000)] {
        world.auth.answers(Answer::new(200, &[("X-authentik-groups", &"g".repeat(length))], ""));
        world.backend.take();
        assert_eq!(get(gateway.http(), "app.test", "/").await.status, 200, "{name}");
        let seen = world.backend.take().pop().unwrap();
        let groups = seen.headers.iter().find(|(name, _)| name == "X-Authentik-Groups").unwrap();
        assert_eq!(groups.1.len(), length, "{name}");
    }
    for (name, length) in NOT_MODELLED_HEADERS {
        world.auth.answers(Answer::new(200, &[("X-authentik-groups", &"g".repeat(length))], ""));
        assert_eq!(get(gateway.http(), "app.test", "/").await.status, 500, "{name}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_told_from_an_auth_server_that_is() {
    let mut world = World::new().await;
    world.put_middleware(&World::listed());
    let gateway = world.gateway(Profile::for_version("3.6"), Trusted::Nobody).await;
    world.backend = Stub::start(Answer::new(200, &[], "")).await;
    let got = get(gateway.http(), "app.test", "/").await;
    assert_eq!((got.status, got.body.as_str()), (502, "Bad Gateway"));
    world.auth = Stub::start(Answer::new(200, &[], "")).await;
    let got = get(gateway.http(), "app.test", "/").await;
    assert_eq!((got.status, got.body.as_str()), (500, ""));
    assert!(world.backend.take().is_empty());
}

#[tokio::test]
async fn options_do_as_recorded() {
    let world = World::new().await;
    for version in VERSIONS {
        for (name, case) in recordings::<Case>(version, "4-options") {
            // Only 3.7 knows the field; 3.6.7 was recorded with the file from before.
            let unknown = name == "maxResponseBodySize" && version == "3.6.7";
            world.put_middleware(&if unknown { json!({}) } else { json!(case.options) });
            let gateway = world.gateway(Profile::for_version(version), Trusted::Nobody).await;
            replay(&name, &case, &world, gateway.http()).await;
        }
    }
}

/// `GET / Host:app.test []`.
fn parts(request: &str) -> (&str, &str) {
    let mut words = request.split(' ');
    let path = words.nth(1).unwrap();
    (words.next().unwrap().strip_prefix("Host:").unwrap(), path)
}

/// The recording's ports, which were fixed for each version.
fn with_ports(text: &str, world: &World) -> String {
    let mut text = text.to_owned();
    for base in [19240, 19220, 19200] {
        for (offset, stub) in [(2, &world.auth), (3, &world.backend), (4, &world.outpost)] {
            text = text.replace(&format!("127.0.0.1:{}", base + offset), &stub.address.to_string());
        }
    }
    text
}

fn lines(stub: &Stub) -> Vec<String> {
    stub.take().into_iter().map(|seen| seen.line).collect()
}

#[tokio::test]
async fn files_do_as_recorded() {
    for version in VERSIONS {
        let profile = Profile::for_version(version);
        for (name, case) in recordings::<ConfigCase>(version, "5-config") {
            if NOT_MODELLED_FILES.contains(&name.as_str())
                || (name == "malformed_at_load" && version == "3.7.15")
            {
                continue;
            }
            let world = World::new().await;
            world.auth.answers(Answer::new(401, &[], "denied"));
            for (file, text) in &case.files {
                world.put(file, &with_ports(text, &world));
            }
            let mut settings = crate::world::settings(world.folder.path());
            settings.profile = profile;
            settings.watch = false;
            settings.https.name = "unused".to_owned();
            let gateway = ssoproof_embedded::gateway::Gateway::start(settings).await.unwrap();
            for answer in &case.answers {
                let (host, path) = parts(&answer.request);
                let got = get(gateway.http(), host, path).await;
                let at = format!("{version} {name}: {}", answer.request);
                assert_eq!((got.status, &got.body), (answer.status, &answer.body), "{at}");
                assert_eq!(lines(&world.auth), answer.auth_calls, "{at}: auth server");
                assert_eq!(lines(&world.backend), answer.backend, "{at}: backend");
                assert_eq!(lines(&world.outpost), answer.outpost, "{at}: outpost");
            }
            let at = format!("{version} {name}");
            assert_eq!(shown(&gateway.api_routers()), shown(&json!(case.routers)), "{at}: routers");
            assert_eq!(
                shown(&gateway.api_middlewares()),
                shown(&json!(case.middlewares)),
                "{at}: middlewares"
            );
        }
    }
}

/// A list of the API by name, without what is the recording's own: it knew one entry point, and the settings of TLS
/// that Traefik fills in. A middleware of two types is shown as either.
fn shown(list: &Value) -> BTreeMap<String, Value> {
    let mut shown = BTreeMap::new();
    for item in list.as_array().unwrap() {
        let mut item = item.clone();
        let fields = item.as_object_mut().unwrap();
        for own in ["observability", "priorityStr", "tls"] {
            fields.remove(own);
        }
        if fields["name"] == "authentik@file" && fields["status"] == "disabled" {
            fields.remove("type");
        }
        for list in ["entryPoints", "using"] {
            if let Some(Value::Array(names)) = fields.get_mut(list) {
                names.retain(|name| name != "unused");
            }
        }
        shown.insert(fields["name"].as_str().unwrap().to_owned(), item);
    }
    shown
}
