//! An auth server, a backend, an outpost, and the files that join them.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::gateway::Settings;
use ssoproof_embedded::logs::Logs;
use tempfile::TempDir;

use super::stub::{Answer, Stub};

/// The stubs.
pub(crate) struct World {
    pub(crate) auth: Stub,
    pub(crate) backend: Stub,
    pub(crate) outpost: Stub,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let backend = |body| Answer::new(200, &[("Content-Type", "text/plain"), ("X-Backend", "yes")], body);
        Self {
            auth: Stub::start(Answer::new(200, &[], "")).await,
            backend: Stub::start(backend("backend back")).await,
            outpost: Stub::start(backend("backend outpost")).await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The names by which recordings call the stubs, with their addresses.
    pub(crate) fn names(&self) -> [(&'static str, String); 3] {
        [
            ("<auth>", self.auth.address.to_string()),
            ("<backend>", self.backend.address.to_string()),
            ("<outpost>", self.outpost.address.to_string()),
        ]
    }

    /// Puts `text` into the folder at once, as a deployment should: written elsewhere, then renamed.
    pub(crate) fn put(&self, name: &str, text: &str) {
        let elsewhere = tempfile::NamedTempFile::new_in(self.folder.path().parent().unwrap()).unwrap();
        std::fs::write(elsewhere.path(), text).unwrap();
        elsewhere.persist(self.folder.path().join(name)).unwrap();
    }

    /// The file of the recordings 1 to 4 with `options` besides the middleware's address.
    pub(crate) fn put_middleware(&self, options: &Value) {
        let mut auth =
            json!({ "address": format!("http://{}/outpost.goauthentik.io/auth/traefik", self.auth.address) });
        for (name, value) in options.as_object().unwrap() {
            auth[name] = value.clone();
        }
        let server = |stub: &Stub| json!({ "loadBalancer": { "servers": [{ "url": format!("http://{}", stub.address) }] } });
        let file = json!({ "http": {
            "middlewares": { "authentik": { "forwardAuth": auth } },
            "routers": {
                "app": { "rule": "Host(`app.test`)", "service": "back", "middlewares": ["authentik@file"], "entryPoints": ["web"] },
                "outpost": { "rule": "Host(`app.test`) && PathPrefix(`/outpost.goauthentik.io/`)", "service": "outpost", "entryPoints": ["web"] },
                "open": { "rule": "Host(`open.test`)", "service": "back", "entryPoints": ["web"] },
            },
            "services": { "back": server(&self.backend), "outpost": server(&self.outpost) },
        }});
        self.put("a.yml", &file.to_string());
    }
}

/// Settings for `directory` with a certificate of their own.
pub(crate) fn settings(directory: &Path) -> Settings {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let made = rcgen::generate_simple_self_signed(["app.test".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let upstream = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut settings =
        Settings::new(directory, Arc::new(tls), Names::default(), Arc::new(upstream), Logs::default());
    settings.hostname = "vm".to_owned();
    settings
}
