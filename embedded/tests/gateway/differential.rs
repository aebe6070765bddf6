//! The gateway beside the real program, same files and same requests.
//!
//! Runs when `SSOPROOF_TRAEFIK_BIN` names a Traefik 3.x or there is a `traefik` in `PATH`; says so when not.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ssoproof_deployment::traefik::Profile;
use ssoproof_embedded::gateway::Gateway;
use ssoproof_embedded::ports;

use crate::client::{get, send};
use crate::normal;
use crate::stub::{Answer, Stub};
use crate::world::{World, settings};

/// A running Traefik.
struct Traefik {
    child: Child,
    web: SocketAddr,
    version: String,
}

impl Drop for Traefik {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("SSOPROOF_TRAEFIK_BIN") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("traefik")).find(|file| file.is_file())
}

impl Traefik {
    /// Starts one on the world's folder and waits until its API shows `router`; none without a program.
    async fn start(world: &World, router: &str) -> Option<Self> {
        let Some(program) = program() else {
            eprintln_skip();
            return None;
        };
        let output = Command::new(&program).arg("version").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.lines().find_map(|line| line.strip_prefix("Version:")).unwrap().trim().to_owned();
        let [web, websecure, api] = ports::free().unwrap();
        let child = Command::new(&program)
            .args([
                format!("--entrypoints.web.address={web}"),
                format!("--entrypoints.websecure.address={websecure}"),
                format!("--entrypoints.traefik.address={api}"),
                "--api.insecure=true".to_owned(),
                format!("--providers.file.directory={}", world.folder.path().display()),
                "--global.checknewversion=false".to_owned(),
                "--global.sendanonymoususage=false".to_owned(),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { child, web, version };
        let deadline = Instant::now() + Duration::from_secs(30);
        let path = format!("/api/http/routers/{router}@file");
        let mut last = "nothing listens".to_owned();
        while Instant::now() < deadline {
            if tokio::net::TcpStream::connect(api).await.is_ok()
                && tokio::net::TcpStream::connect(web).await.is_ok()
            {
                let got = get(api, &api.to_string(), &path).await;
                if got.status == 200 {
                    return Some(started);
                }
                last = format!("{} {}", got.status, got.body);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("Traefik was not ready in 30 s: {last}");
    }
}

#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
fn eprintln_skip() {
    eprintln!("skipped: no Traefik in SSOPROOF_TRAEFIK_BIN or PATH");
}

/// What the client, the auth server, the backend and the outpost saw of one request, without what is each program's
/// own: the machine's name, compression, and how a broken request is told.
async fn observe(world: &World, address: SocketAddr, request: &str) -> [Vec<String>; 4] {
    let got = send(address, request.as_bytes()).await;
    let broken = matches!(got.status, 400 | 431);
    let answer = if broken { vec![got.status.to_string()] } else { normal::answer(&got, world) };
    let saw = |stub: &Stub| {
        let lines = stub.take().iter().flat_map(|seen| normal::request(seen, world)).collect::<Vec<_>>();
        let own = |line: &String| line.starts_with("x-forwarded-server:") || line == "accept-encoding: gzip";
        lines.into_iter().filter(|line| !own(line)).collect()
    };
    [answer, saw(&world.auth), saw(&world.backend), saw(&world.outpost)]
}

async fn compare(world: &World, router: &str, requests: &[String]) {
    let Some(traefik) = Traefik::start(world, router).await else { return };
    let mut settings = settings(world.folder.path());
    settings.profile = Profile::for_version(&traefik.version);
    settings.watch = false;
    let gateway = Gateway::start(settings).await.unwrap();
    for request in requests {
        let theirs = observe(world, traefik.web, request).await;
        let ours = observe(world, gateway.http(), request).await;
        differ(&ours, &theirs, request);
    }
}

/// # Panics
/// When what was seen of `what` is not the same.
fn differ(ours: &[Vec<String>; 4], theirs: &[Vec<String>; 4], what: &str) {
    let who = ["client", "auth server", "backend", "outpost"];
    let each = who.iter().zip(ours.iter().zip(theirs));
    let found: Vec<_> =
        each.flat_map(|(who, (ours, theirs))| normal::differences(who, ours, theirs)).collect();
    assert!(found.is_empty(), "{what:?}, Traefik's as recorded:\n{}", found.join("\n"));
}

fn get_of(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

fn put(world: &World, middlewares: &Value, routers: &Value) {
    let server = |address: SocketAddr| json!({ "loadBalancer": { "servers": [{ "url": format!("http://{address}") }] } });
    let file = json!({ "http": {
        "middlewares": middlewares,
        "routers": routers,
        "services": {
            "back": server(world.backend.address),
            "outpost": server(world.outpost.address),
            "empty": { "loadBalancer": { "servers": [] } },
            "own-host": { "loadBalancer": { "passHostHeader": false, "servers": [{ "url": format!("http://{}/base", world.backend.address) }] } },
        },
    }});
    world.put("a.yml", &file.to_string());
}

#[tokio::test]
async fn rules_choose_as_traefiks() {
    let world = World::new().await;
    let router =
        |rule: &str, service: &str| json!({ "rule": rule, "service": service, "entryPoints": ["web"] });
    let routers = json!({
        "back": router("Host(`app.test`)", "back"),
        "query": router("Host(`q.test`) && Query(`a`)", "back"),
        "query2": router("Host(`q.test`) && Query(`a`, `b c`)", "outpost"),
        "queryre": router("Host(`q.test`) && QueryRegexp(`r`)", "back"),
        "header": router("Host(`h.test`) && Header(`x-one`, `1`)", "back"),
        "headerre": router("Host(`h.test`) && HeaderRegexp(`x-two`, `^[0-9]+$`)", "outpost"),
        "method": router("Host(`m.test`) && Method(`post`)", "back"),
        "not": router("Host(`n.test`) && !PathPrefix(`/x`)", "back"),
        "space": router("Host(`s.test`) && Path(`/a b`)", "back"),
        "percent": router("Host(`s.test`) && PathPrefix(`/%2F`)", "outpost"),
        "colon": router("Host(`s.test`) && Path(`/a:b`)", "back"),
        "encoded-colon": router("Host(`s.test`) && Path(`/c%3Ab`)", "back"),
        "regexp": router("HostRegexp(`^[a-z]+\\.re\\.test$`)", "back"),
        "pathre": router("Host(`p.test`) && PathRegexp(`\\.js$`)", "back"),
        "ip": router("Host(`ip.test`) && ClientIP(`127.0.0.0/8`)", "back"),
        "empty": router("Host(`empty.test`)", "empty"),
        "own": router("Host(`own.test`)", "own-host"),
        "noop": router("Host(`noop.test`)", "noop@internal"),
    });
    put(&world, &json!({ "unused": { "addPrefix": { "prefix": "/x" } } }), &routers);
    let mut requests = Vec::new();
    for (host, path) in [
        ("app.test", "/"),
        ("APP.test:80", "/x?y"),
        ("app.test.", "/"),
        ("app.test", "/a;b?c=d;e=f"),
        ("app.test", "/?"),
        ("app.test", "/a/../b/./c//d/"),
        ("app.test", "/%7euser/%41%2f%3f"),
        ("app.test", "/ü"),
        ("app.test", "/a%00b"),
        ("q.test", "/?a"),
        ("q.test", "/?a="),
        ("q.test", "/?a=1"),
        ("q.test", "/?a=b%20c"),
        ("q.test", "/?a=b+c"),
        ("q.test", "/?x=1;a="),
        ("q.test", "/?r"),
        ("q.test", "/?r=1"),
        ("m.test", "/"),
        ("n.test", "/x"),
        ("n.test", "/y"),
        ("s.test", "/a%20b"),
        ("s.test", "/%2Fx"),
        ("s.test", "/a:b"),
        ("s.test", "/a%3Ab"),
        ("s.test", "/c%3ab"),
        ("s.test", "/c:b"),
        ("abc.re.test", "/"),
        ("ABC.re.test:99", "/"),
        ("a1.re.test", "/"),
        ("p.test", "/x.js"),
        ("p.test", "/x.jsx"),
        ("ip.test", "/"),
        ("empty.test", "/"),
        ("own.test", "/p?q"),
        ("noop.test", "/"),
        ("", "/"),
        ("none.test", "/"),
    ] {
        requests.push(get_of(host, path));
    }
    requests.push(
        "GET / HTTP/1.1\r\nHost: h.test\r\nX-One: 0\r\nX-One: 1\r\nConnection: close\r\n\r\n".to_owned(),
    );
    requests.push("GET / HTTP/1.1\r\nHost: h.test\r\nX-Two: 22\r\nConnection: close\r\n\r\n".to_owned());
    requests.push(
        "POST / HTTP/1.1\r\nHost: m.test\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi".to_owned(),
    );
    requests.push("GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned());
    requests.push("GET / HTTP/1.1\r\nHost: app.test\r\nHost: q.test\r\nConnection: close\r\n\r\n".to_owned());
    requests.push(
        "OPTIONS / HTTP/1.1\r\nHost: app.test\r\nOrigin: http://x\r\nConnection: close\r\n\r\n".to_owned(),
    );
    requests.push("HEAD / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n".to_owned());
    compare(&world, "back", &requests).await;
}

#[tokio::test]
async fn middlewares_do_as_traefiks() {
    let world = World::new().await;
    world.auth.answers(Answer::new(200, &[("X-authentik-username", "alice"), ("Set-Cookie", "a=1")], ""));
    let address = format!("http://{}/auth?x=1", world.auth.address);
    let middlewares = json!({
        "auth": { "forwardAuth": { "address": address, "authResponseHeaders": ["X-authentik-username"] } },
        "headers": { "headers": { "customRequestHeaders": { "X-New": "1", "X-Gone": "" }, "customResponseHeaders": { "X-Backend": "", "X-Out": "2" } } },
        "https": { "redirectScheme": { "scheme": "https" } },
        "https-port": { "redirectScheme": { "scheme": "https", "port": "8443", "permanent": true } },
        "http": { "redirectScheme": { "scheme": "http" } },
        "regex": { "redirectRegex": { "regex": "^http://([^/]+)/old/(.*)", "replacement": "http://${1}/new/$2" } },
        "strip": { "stripPrefix": { "prefixes": ["/api", "/v1/"] } },
        "add": { "addPrefix": { "prefix": "/pre" } },
        "replace": { "replacePath": { "path": "/fixed" } },
        "replacere": { "replacePathRegex": { "regex": "^/a/(.*)", "replacement": "/b/$1" } },
        "chain": { "chain": { "middlewares": ["strip", "auth", "headers"] } },
        "tell-https": { "headers": { "customRequestHeaders": { "X-Forwarded-Proto": "https" } } },
        "tell-ws": { "headers": { "customRequestHeaders": { "X-Forwarded-Proto": "ws" } } },
        "told-https": { "chain": { "middlewares": ["tell-https", "http"] } },
        "told-ws": { "chain": { "middlewares": ["tell-ws", "http"] } },
    });
    let mut routers = serde_json::Map::new();
    for name in middlewares.as_object().unwrap().keys() {
        let rule = format!("Host(`{name}.test`)");
        routers.insert(
            name.clone(),
            json!({ "rule": rule, "service": "back", "middlewares": [name], "entryPoints": ["web"] }),
        );
    }
    put(&world, &middlewares, &Value::Object(routers));
    let mut requests = Vec::new();
    for (host, paths) in [
        ("auth.test", &["/x/../y?z=%20;b"][..]),
        ("headers.test", &["/"]),
        ("https.test", &["/", "/a%20b?c=d"]),
        ("https.test:8080", &["/a"]),
        ("https-port.test", &["/"]),
        ("http.test", &["/"]),
        ("regex.test", &["/old/x?y=1", "/other"]),
        ("strip.test", &["/api/x", "/api", "/apix", "/v1/y?z", "/other", "/api/%2Fx"]),
        ("add.test", &["/x?y", "/"]),
        ("replace.test", &["/x?y"]),
        ("replacere.test", &["/a/x?y", "/c"]),
        ("chain.test", &["/api/x?y=1"]),
        ("told-https.test", &["/"]),
        ("told-ws.test", &["/"]),
    ] {
        for path in paths {
            requests.push(format!(
                "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Gone: g\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
            ));
        }
    }
    requests.push(
        "POST /p HTTP/1.1\r\nHost: https.test\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx".to_owned(),
    );
    requests.push(
        "POST /p HTTP/1.1\r\nHost: https-port.test\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
            .to_owned(),
    );
    compare(&world, "auth", &requests).await;
}

#[tokio::test]
async fn refusals_and_locations_are_traefiks() {
    let world = World::new().await;
    world.put_middleware(&crate::live::listed());
    let Some(traefik) = Traefik::start(&world, "app").await else { return };
    let mut settings = settings(world.folder.path());
    settings.profile = Profile::for_version(&traefik.version);
    settings.watch = false;
    let gateway = Gateway::start(settings).await.unwrap();
    for location in [
        "/start?rd=x y",
        "start",
        "//other.test/x",
        "https://auth.test/a b?c=%20",
        "?x",
        "#f",
        "https://AUTH.test",
        "",
    ] {
        world.auth.answers(Answer::new(
            302,
            &[("Location", location), ("Connection", "X-Hop"), ("X-Hop", "1")],
            "moved",
        ));
        let request = get_of("app.test", "/");
        let theirs = observe(&world, traefik.web, &request).await;
        let ours = observe(&world, gateway.http(), &request).await;
        differ(&ours, &theirs, location);
    }
    world.auth.answers(Answer::Raw(b"garbage\r\n\r\n".to_vec()));
    let request = get_of("app.test", "/");
    let theirs = observe(&world, traefik.web, &request).await;
    differ(&observe(&world, gateway.http(), &request).await, &theirs, "an auth server that speaks no HTTP");
}
