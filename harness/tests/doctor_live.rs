//! `doctor --live` on a site in this process: what it says of one that is well, and of one that is not.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::{Response, header, request};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use ssoproof::doctor::{self, Inputs, LiveOptions};
use ssoproof::provision::provision;
use ssoproof::stacks::{AttachOptions, Resolve, Secrets};
use ssoproof_deployment::Deployment;
use ssoproof_deployment::traefik::{EntryPoint, Profile as TraefikProfile};
use ssoproof_embedded::authentik::{self, Authentik, Profile};
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::faults::{Tampering, Wire};
use ssoproof_embedded::gateway::{self, Gateway};
use ssoproof_embedded::logs::Logs;
use ssoproof_embedded::services::{Probe, ProbeSettings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const SPACEMUSIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");

/// The SpaceMusic deployment with the parts that `--live` asks.
struct Site {
    secrets: Secrets,
    gateway: Gateway,
    files: TempDir,
    ca: PathBuf,
    api: SocketAddr,
    names: Names,
    authentik: Authentik,
    _probe: Probe,
}

impl Site {
    async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// A site whose Authentik is set up as the deployment says once it was edited.
    async fn start_with(edit: impl FnOnce(&mut Deployment)) -> Self {
        let mut deployment = Deployment::load(Path::new(SPACEMUSIC)).expect("deployment");
        edit(&mut deployment);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let made = rcgen::generate_simple_self_signed(deployment.hosts()).expect("certificate");
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("key");
        let server = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("server");
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let (client, names, logs) = (Arc::new(client), Names::default(), Logs::default());
        let secrets = Secrets::random(&deployment);
        let authentik = Authentik::start(authentik::Settings {
            bootstrap_token: secrets.admin_token.expose_secret().to_owned(),
            bootstrap_password: String::new(),
            state: None,
            store: None,
            secret_key: Vec::new(),
            profile: Profile::of(&deployment.versions.authentik).expect("version"),
            logs: logs.clone(),
        })
        .await
        .expect("Authentik");
        names.insert("authentik-server", 9000, authentik.address());
        let dialled = Client::new(names.clone(), client.clone());
        provision(&deployment, dialled, &deployment.auth.upstream, &secrets).await.expect("provisioned");
        let probe = Probe::start(ProbeSettings::default()).await.expect("probe");
        for service in deployment.services.values() {
            let url = url::Url::parse(&service.upstream).expect("url");
            names.insert(
                url.host_str().expect("host"),
                url.port_or_known_default().expect("port"),
                probe.address(),
            );
        }
        let files = tempfile::tempdir().expect("folder");
        for name in ["authentik.yml", "services.yml", "apps.yml"] {
            let from = Path::new(SPACEMUSIC).join("traefik").join(name);
            std::fs::copy(from, files.path().join(name)).expect("copied");
        }
        let ca = files.path().join("ca.pem");
        std::fs::write(&ca, made.cert.pem()).expect("written");
        let mut settings =
            gateway::Settings::new(files.path(), Arc::new(server), names.clone(), client, logs);
        settings.http = EntryPoint::new("web");
        settings.https = EntryPoint::new("websecure");
        settings.watch = false;
        let gateway = Gateway::start(settings).await.expect("gateway");
        let api = serve_api(gateway.api_routers()).await;
        Self { secrets, gateway, files, ca, api, names, authentik, _probe: probe }
    }

    /// Lets Authentik answer as `response` makes of its answers, while the wire is kept.
    async fn authentik_answers(
        &self,
        response: fn(&request::Parts, &mut Response<Bytes>, &Deployment),
    ) -> Wire {
        let deployment = Arc::new(Deployment::load(Path::new(SPACEMUSIC)).expect("deployment"));
        let tampering = Tampering { request: |_, _| None, response };
        let wire = Wire::start(self.authentik.address(), tampering, deployment).await.expect("wire");
        self.names.insert("authentik-server", 9000, wire.address());
        wire
    }

    async fn examined(&self) -> (Vec<String>, String) {
        let resolve = |port, address| Resolve { pattern: "*".to_owned(), port: Some(port), address };
        let options = LiveOptions {
            attach: AttachOptions {
                resolve: vec![resolve(80, self.gateway.http()), resolve(443, self.gateway.https())],
                ca: Some(self.ca.clone()),
                traefik_api: Some(format!("http://{}", self.api).parse().expect("url")),
                ..AttachOptions::default()
            },
            token: Some(self.secrets.admin_token.clone()),
        };
        let inputs = Inputs { deployment: Some(PathBuf::from(SPACEMUSIC)), ..Inputs::default() };
        let examination = doctor::examine(&inputs, Some(&options)).await.expect("examined");
        let found = examination.findings.iter().filter(|finding| finding.code.id != "DOC-D01");
        let found = found.map(|finding| format!("{} {}", finding.code.id, finding.message)).collect();
        (found, doctor::text(&examination, false))
    }
}

/// Answers as Traefik's API: the routers, and the version.
async fn serve_api(routers: Value) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("bound");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let body = if head.starts_with("GET /api/http/routers") {
                routers.to_string()
            } else {
                json!({ "Version": TraefikProfile::for_version("3.6").version }).to_string()
            };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_at_a_site_that_is_well() {
    let site = Site::start().await;
    let (found, text) = site.examined().await;
    assert!(found.is_empty(), "{found:#?}\n{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_runs_otherwise_is_told_with_what_a_stranger_sees() {
    let mut site = Site::start().await;
    let path = site.files.path().join("services.yml");
    let text = std::fs::read_to_string(&path).expect("read");
    let open =
        text.replacen("      middlewares: [authentik@file]\n      service: docs", "      service: docs", 1);
    std::fs::write(&path, open).expect("written");
    site.gateway.reload().expect("taken");
    site.api = serve_api(site.gateway.api_routers()).await;
    let (found, text) = site.examined().await;
    assert_eq!(found.len(), 2, "{found:#?}\n{text}");
    assert!(
        found
            .iter()
            .any(|one| one.starts_with("DOC-L02 router `docs@file` runs otherwise: middlewares is null")),
        "{found:#?}"
    );
    assert!(
        found.contains(&"DOC-L07 a stranger at docs.spacemusic.tv is not sent to the login".to_owned()),
        "{found:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_up_in_authentik_is_looked_at_with_a_token() {
    let site = Site::start_with(|deployment| {
        deployment.services.get_mut("docs").expect("service").in_outpost = false;
    })
    .await;
    let (found, text) = site.examined().await;
    assert!(
        found.contains(&"DOC-A01 the provider of docs.spacemusic.tv is in no outpost".to_owned()),
        "{found:#?}\n{text}"
    );
    assert!(
        found.contains(&"DOC-L07 a stranger at docs.spacemusic.tv is not sent to the login".to_owned()),
        "{found:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_told_with_how_far() {
    let site = Site::start().await;
    let _wire = site
        .authentik_answers(|_, response, _| {
            let late = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(7);
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&late);
            response.headers_mut().insert(header::DATE, date.expect("date").parse().expect("header"));
        })
        .await;
    let (found, text) = site.examined().await;
    let [only] = &found[..] else { panic!("{found:#?}\n{text}") };
    let off = only.strip_prefix("DOC-L08 the clock at Authentik is ").expect("the clock");
    let (seconds, rest) = off.split_once(' ').expect("seconds");
    let seconds: u32 = seconds.parse().expect("number");
    assert!((415..=425).contains(&seconds), "{only}");
    assert_eq!(rest, "s behind this machine's");
    assert!(text.contains("time from NTP"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_a_worker_of_other_versions_are_told() {
    let site = Site::start().await;
    let _wire = site
        .authentik_answers(|asked, response, _| {
            let told = match asked.uri.path() {
                "/api/v3/admin/version/" => json!({ "version_current": "2025.8.4" }),
                "/api/v3/tasks/workers/" => json!([
                    { "worker_id": "one", "version": "2025.8.4", "version_matching": true },
                    { "worker_id": "two", "version": "2025.6.1", "version_matching": false },
                ]),
                _ => return,
            };
            *response = Response::new(told.to_string().into());
        })
        .await;
    let (mut found, text) = site.examined().await;
    found.sort();
    let expected = [
        "DOC-L10 Authentik 2025.8.4 runs, and the deployment says 2026.2",
        "DOC-L10 a worker runs 2025.6.1, and the server 2025.8.4",
    ];
    assert_eq!(found, expected, "{text}");
}
