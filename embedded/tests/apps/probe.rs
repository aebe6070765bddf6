//! The probe services.

use std::net::SocketAddr;

use serde_json::{Value, json};
use ssoproof_embedded::services::{Bridge, Probe, ProbeSettings, UserSource};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::browser::Browser;

fn settings(name: &str) -> ProbeSettings {
    ProbeSettings { name: name.to_owned(), ..ProbeSettings::default() }
}

/// Sends `bytes`, ends the sending half and reads all that comes back.
async fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

fn split(answer: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn one_probe_stands_for_the_services_whose_hosts_are_asked_for() {
    let by_host =
        [("docs.test".to_owned(), settings("docs")), ("stream.test".to_owned(), settings("stream"))];
    let probe =
        Probe::start_for(([127, 0, 0, 1], 0).into(), settings("other"), by_host.into()).await.unwrap();
    for (host, expected) in
        [("docs.test", "docs"), ("STREAM.test.:8443", "stream"), ("x.test", "other"), ("", "other")]
    {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let (head, body) = split(&raw(probe.address(), request.as_bytes()).await);
        assert!(head.contains(&format!("X-Ssoproof-Probe: {expected}\r\n")), "{host}: {head}");
        let report: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(report["service"], expected, "{host}");
    }
}

#[tokio::test]
async fn headers_are_reported_byte_for_byte() {
    let probe = Probe::start(settings("docs")).await.unwrap();
    let request = b"PATCH /a%20b?c HTTP/1.1\r\nhOsT: docs.test\r\nX_Authentik_username: root\r\n\
                    x-authentik-username: alice\r\nX-authentik-name: Zo\xc3\xab\r\nX-odd: \xff\r\n\
                    Content-Length: 5\r\nConnection: close\r\n\r\nhello";
    let (head, body) = split(&raw(probe.address(), request).await);
    assert_eq!(
        head,
        format!(
            "HTTP/1.1 200 OK\r\nX-Ssoproof-Probe: docs\r\nSet-Cookie: backend_cookie=1; Path=/\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close",
            body.len()
        )
    );
    let report: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        report,
        json!({
            "service": "docs",
            "hit": 1,
            "method": "PATCH",
            "target": "/a%20b?c",
            "version": "HTTP/1.1",
            "headers": [
                ["hOsT", "docs.test"],
                ["X_Authentik_username", "root"],
                ["x-authentik-username", "alice"],
                ["X-authentik-name", "Zoë"],
                ["X-odd", "ÿ"],
                ["Content-Length", "5"],
                ["Connection", "close"],
            ],
            "headers_hex": [["X-odd", "ff"]],
            "cookies": [],
            "body_length": 5,
            "user": null,
        })
    );
    let arrived = probe.arrived().remove(0);
    assert_eq!(arrived.values("X-ODD").next(), Some(&b"\xff"[..]));
    assert_eq!(probe.hits(), 1);
}

#[tokio::test]
async fn connection_is_kept_and_head_has_no_body() {
    let probe = Probe::start(settings("docs")).await.unwrap();
    let pipelined = b"HEAD /1 HTTP/1.1\r\nhost: a\r\n\r\n\
                      POST /2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
                      GET /3 HTTP/1.0\r\n\r\n";
    let text = String::from_utf8(raw(probe.address(), pipelined).await).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3);
    assert_eq!(text.matches("Connection: keep-alive").count(), 2);
    assert!(!text.contains("\"/1\"") && text.contains("\"/2\"") && text.contains("\"/3\""), "{text}");
    let lengths: Vec<usize> = probe.arrived().iter().map(|arrived| arrived.body_length).collect();
    assert_eq!(lengths, [0, 3, 0]);
}

#[tokio::test]
async fn page_holds_the_report_and_no_markup_of_others() {
    let probe = Probe::start(settings("docs")).await.unwrap();
    let mut browser = Browser::new(probe.address());
    let page = browser.send("GET", "/", &[("accept", "text/html"), ("x-evil", "</script><b>")]).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let text = page.text();
    assert!(text.contains("<title>docs</title>"));
    let inside = text.split_once("<script type=\"application/json\" id=\"arrived\">").unwrap().1;
    let (report, _) = inside.split_once("</script>").unwrap();
    let report: Value = serde_json::from_str(report).unwrap();
    assert!(report["headers"].as_array().unwrap().contains(&json!(["X-Evil", "</script><b>"])));
    assert_eq!(browser.jar["backend_cookie"], "1");
}

#[tokio::test]
async fn bodies_beyond_a_mebibyte_are_refused_and_not_counted() {
    let probe = Probe::start(settings("docs")).await.unwrap();
    let mut request = b"POST / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n".to_vec();
    request.resize(request.len() + 1_048_577, b'x');
    let (head, _) = split(&raw(probe.address(), &request).await);
    assert!(head.starts_with("HTTP/1.1 413 Content Too Large\r\n"), "{head}");
    assert_eq!(probe.hits(), 0);
    let (head, _) = split(&raw(probe.address(), b"\x16\x03\x01\x02\x00 nonsense\r\n\r\n").await);
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
}

#[tokio::test]
async fn expect_continue_is_answered_before_the_body() {
    let probe = Probe::start(settings("docs")).await.unwrap();
    let mut stream = TcpStream::connect(probe.address()).await.unwrap();
    let head = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ok").await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
}

#[tokio::test]
async fn websocket_carries_the_report_in_one_frame() {
    let probe = Probe::start(settings("uptime-kuma")).await.unwrap();
    let request = b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let answer = raw(probe.address(), request).await;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8_lossy(&answer[..end]);
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert!(head.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
    let frame = &answer[end..];
    assert_eq!(frame[..2], [0x81, 126]);
    let length = usize::from(u16::from_be_bytes([frame[2], frame[3]]));
    let report: Value = serde_json::from_slice(&frame[4..4 + length]).unwrap();
    assert_eq!(report["target"], "/ws");
    assert_eq!(frame[4 + length..], [0x88, 2, 0x03, 0xe8]);
}

#[tokio::test]
async fn folding_backend_cannot_tell_underscore_from_dash() {
    let probe = Probe::start(ProbeSettings { folding: true, ..settings("docs") }).await.unwrap();
    let request = b"GET / HTTP/1.0\r\nX_authentik_username: root\r\nX-authentik-username: alice\r\n\r\n";
    let (_, body) = split(&raw(probe.address(), request).await);
    let report: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(report["environ"]["HTTP_X_AUTHENTIK_USERNAME"], "root,alice");
    assert_eq!(report["folded"]["x-authentik-username"], json!(["root", "alice"]));
}

#[tokio::test]
async fn bridge_keeps_the_identity_for_navigation_without_headers() {
    for bridge in [Bridge::AsDocumented, Bridge::Safe] {
        let probe = Probe::start(ProbeSettings { bridge, ..settings("stream") }).await.unwrap();
        let mut browser = Browser::new(probe.address());
        let identity = [("x-authentik-username", "zoe"), ("x-authentik-email", "zoe@spacemusic.tv")];
        let first = browser.send("GET", "/", &identity).await.json();
        assert_eq!(first["user"]["source"], "header");
        let next = browser.send("GET", "/__data.json", &[]).await.json();
        assert_eq!(
            next["user"],
            json!({ "username": "zoe", "email": "zoe@spacemusic.tv", "name": null, "source": "cookie" })
        );
        let told: Vec<_> = probe.arrived().into_iter().map(|arrived| arrived.user.unwrap().source).collect();
        assert_eq!(told, [UserSource::Header, UserSource::Cookie]);
    }
}

#[tokio::test]
async fn forged_bridge_cookie_is_believed_as_documented_and_ignored_when_safe() {
    for (bridge, user) in [(Bridge::AsDocumented, json!("root")), (Bridge::Safe, Value::Null)] {
        let probe = Probe::start(ProbeSettings { bridge, ..settings("stream") }).await.unwrap();
        let mut browser = Browser::new(probe.address());
        browser.jar.insert("ak_username".to_owned(), "root".to_owned());
        let report = browser.send("GET", "/__data.json", &[]).await.json();
        assert_eq!(report["user"]["username"], user, "{bridge:?}");
    }
}

#[tokio::test]
async fn dropped_probe_cuts_its_connections() {
    let probe = Probe::start(settings("docs")).await.unwrap();
    let mut stream = TcpStream::connect(probe.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    drop(probe);
    let mut rest = Vec::new();
    // Cut with or without a reset: either way nothing comes.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}
