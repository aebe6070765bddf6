//! The recorded deployment in small: Authentik, the gateway in front of it, one service behind forward auth.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use http_body_util::Full;
use serde_json::json;
use ssoproof_embedded::authentik::{Authentik, Profile, Settings, State};
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::gateway::{self, Gateway};
use ssoproof_embedded::logs::Logs;
use tempfile::TempDir;

use super::compare::Answered;
use super::echo::Service;

/// What the recording's requests carry.
pub(super) const TOKEN: &str = "bootstrap-token-real-0123456789";

/// The recorded hosts: Authentik's, those of the services, and last one that has no route.
const HOSTS: [&str; 11] = [
    "auth.spacemusic.tv",
    "stream.spacemusic.tv",
    "docs.spacemusic.tv",
    "uptime.spacemusic.tv",
    "edit.spacemusic.com",
    "edit.origin-infinite.com",
    "preset-dashboard.spacemusic.tv",
    "connect.spacemusic.tv",
    "portainer.spacemusic.tv",
    "unknown.spacemusic.tv",
    "nohost.spacemusic.tv",
];

/// The headers that the recorded middleware passes to a service.
const PASSED: [&str; 12] = [
    "X-authentik-username",
    "X-authentik-groups",
    "X-authentik-entitlements",
    "X-authentik-email",
    "X-authentik-name",
    "X-authentik-uid",
    "X-authentik-jwt",
    "X-authentik-meta-jwks",
    "X-authentik-meta-outpost",
    "X-authentik-meta-provider",
    "X-authentik-meta-app",
    "X-authentik-meta-version",
];

/// The browser that was recorded.
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// The running stack.
pub(super) struct Stack {
    pub(super) authentik: Authentik,
    service: Service,
    client: Client,
    _gateway: Gateway,
    _folder: TempDir,
}

/// A request to be sent.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Stack {
    /// Starts with `state`, or fresh.
    pub(super) async fn start(profile: Profile, state: Option<State>) -> Self {
        let settings = Settings {
            bootstrap_token: TOKEN.to_owned(),
            bootstrap_password: "akadmin-Passw0rd!".to_owned(),
            state,
            store: None,
            secret_key: Vec::new(),
            profile,
            logs: Logs::default(),
        };
        Self::around(Authentik::start(settings).await.expect("Authentik starts")).await
    }

    /// The gateway and the service around a running Authentik.
    pub(super) async fn around(authentik: Authentik) -> Self {
        let service = Service::start().await;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("routes.yml"), routes(&authentik, &service)).expect("a file");
        let (server_tls, client_tls) = tls();
        let client_tls = Arc::new(client_tls);
        let names = Names::default();
        let mut settings = gateway::Settings::new(
            folder.path(),
            Arc::new(server_tls),
            names.clone(),
            client_tls.clone(),
            Logs::default(),
        );
        settings.watch = false;
        settings.hostname = "gateway".to_owned();
        let gateway = Gateway::start(settings).await.expect("the gateway starts");
        for host in HOSTS {
            names.insert(host, 443, gateway.https());
        }
        Self {
            authentik,
            service,
            client: Client::new(names, client_tls),
            _gateway: gateway,
            _folder: folder,
        }
    }

    /// Sends a request; `direct` ones go to Authentik whatever the URL's host.
    ///
    /// # Errors
    /// When there is no answer.
    pub(super) async fn send(&self, asked: &Asked, direct: bool) -> Result<Answered, String> {
        let uri: http::Uri = asked.url.parse().map_err(|error| format!("{}: {error}", asked.url))?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let target = if direct {
            let path = uri.path_and_query().map_or("/", |path| path.as_str());
            format!("http://{}{path}", self.authentik.address())
        } else {
            asked.url.clone()
        };
        let mut request = Request::builder().method(asked.method.as_str()).uri(target);
        let named = |name: &str| asked.headers.iter().any(|(found, _)| found.eq_ignore_ascii_case(name));
        for (name, value) in [("host", host.as_str()), ("user-agent", USER_AGENT)] {
            if !named(name) {
                request = request.header(name, value);
            }
        }
        for (name, value) in &asked.headers {
            let name = HeaderName::try_from(name).map_err(|error| format!("{name}: {error}"))?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?;
            request = request.header(name, value);
        }
        let body = Full::new(Bytes::copy_from_slice(asked.body.as_bytes()));
        let request = request.body(body).map_err(|error| error.to_string())?;
        let response = self.client.send(request).await.map_err(|error| error.to_string())?;
        Ok(Answered { response, echoes: self.service.take() })
    }
}

/// The recorded routes: Authentik's host and the services' outpost paths lead to Authentik, all else of a service
/// asks forward auth.
fn routes(authentik: &Authentik, service: &Service) -> String {
    let authentik = authentik.address();
    let to = |address| json!({ "loadBalancer": { "servers": [{ "url": format!("http://{address}") }] } });
    let router = |rule: String, service: &str, priority: u32| json!({ "rule": rule, "service": service, "priority": priority, "entryPoints": ["websecure"], "tls": {} });
    let [own, services @ .., _] = HOSTS;
    let services = services.map(|host| format!("Host(`{host}`)")).join(" || ");
    let mut app = router(services.clone(), "echo", 1);
    app["middlewares"] = json!(["authentik"]);
    json!({ "http": {
        "middlewares": { "authentik": { "forwardAuth": {
            "address": format!("http://{authentik}/outpost.goauthentik.io/auth/traefik"),
            "trustForwardHeader": true,
            "authResponseHeaders": PASSED,
        } } },
        "routers": {
            "authentik": router(format!("Host(`{own}`)"), "authentik", 3),
            "outpost": router(format!("({services}) && PathPrefix(`/outpost.goauthentik.io/`)"), "authentik", 2),
            "app": app,
        },
        "services": { "authentik": to(authentik), "echo": to(service.address) },
    } })
    .to_string()
}

/// A certificate for every host, and who trusts it.
fn tls() -> (rustls::ServerConfig, rustls::ClientConfig) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let hosts = HOSTS.map(str::to_owned).to_vec();
    let made = rcgen::generate_simple_self_signed(hosts).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate and its key");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (server, client)
}
