//! A site that others have set up: processes, files, certificates.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use ssoproof_deployment::Deployment;
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::ports;
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::Verdicts;
use super::apps::{Apps, CLIENT_SECRET};
use super::postgres::{PASSWORD, Postgres};

const SPACEMUSIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");
const TOKEN: &str = "bootstrap-t0ken";

/// Running processes, and the files they are made of.
pub(crate) struct Site {
    folder: TempDir,
    /// Where the gateway sends what is for a service.
    pub(crate) services: SocketAddr,
    /// Where nobody listens.
    pub(crate) free: SocketAddr,
    pub(crate) traefik_api: SocketAddr,
    /// The file with secrets.
    pub(crate) secrets: PathBuf,
    http: SocketAddr,
    https: SocketAddr,
    _processes: Vec<Process>,
    _postgres: Postgres,
    _apps: Apps,
}

/// A request as the gateway's access log has it.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The `User-Agent`.
    pub(crate) agent: Option<String>,
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Site {
    /// Starts everything, with `lines` at the end of `deployment.yaml`; none, with a word, where programs are missing.
    #[expect(clippy::print_stderr, reason = "a test that does not run says why")]
    pub(crate) async fn start(lines: &str) -> Option<Self> {
        let Some(traefik) = std::env::var_os("SSOPROOF_TRAEFIK_BIN") else {
            eprintln!("not run: SSOPROOF_TRAEFIK_BIN is not set");
            return None;
        };
        let postgres = Postgres::start().await?;
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("spacemusic");
        fs::create_dir(&copy).unwrap();
        crate::common::copy(Path::new(SPACEMUSIC), &copy).unwrap();
        let yaml = copy.join("deployment.yaml");
        fs::write(&yaml, fs::read_to_string(&yaml).unwrap() + "\n" + lines + "\n").unwrap();
        let deployment = Deployment::load(&copy).unwrap();
        let [http, https, api, authentik, worker, services, free] = ports::free().unwrap();
        let tls = certificates(folder.path(), &deployment);

        let names = Names::default();
        for host in deployment.hosts() {
            names.insert(&host, 80, http);
            names.insert(&host, 443, https);
        }
        let apps = Apps::start(&deployment, &names, &tls).await;
        let upstreams = [
            (deployment.auth.upstream.value.clone(), authentik),
            (deployment.apps.grafana.as_ref().unwrap().upstream.value.clone(), apps.grafana.address()),
            (deployment.apps.minio.as_ref().unwrap().upstream.value.clone(), apps.minio.console()),
            (deployment.apps.minio.as_ref().unwrap().api_upstream.value.clone(), apps.minio.api()),
        ];
        let served = deployment.services.values().map(|service| (service.upstream.value.clone(), services));
        traefik_files(folder.path(), &upstreams.into_iter().chain(served).collect::<Vec<_>>());

        let authentik_program = |program: &str, listen: SocketAddr| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ssoproof"));
            command
                .args(["authentik", program])
                .env("AUTHENTIK_SECRET_KEY", "a-secret-key-of-the-test")
                .env("AUTHENTIK_BOOTSTRAP_PASSWORD", "admin-Passw0rd!")
                .env("AUTHENTIK_BOOTSTRAP_TOKEN", TOKEN)
                .env("AUTHENTIK_POSTGRESQL__HOST", "127.0.0.1")
                .env("AUTHENTIK_POSTGRESQL__PORT", postgres.config().get_ports()[0].to_string())
                .env("AUTHENTIK_POSTGRESQL__PASSWORD", PASSWORD)
                .env("AUTHENTIK_POSTGRESQL__NAME", "postgres")
                .env("AUTHENTIK_LISTEN__HTTP", listen.to_string());
            command
        };
        let mut gateway = Command::new(traefik);
        gateway.args([
            format!("--entryPoints.web.address={http}"),
            format!("--entryPoints.websecure.address={https}"),
            format!("--entryPoints.traefik.address={api}"),
            format!("--providers.file.directory={}", folder.path().join("dynamic").display()),
            "--providers.file.watch=true".to_owned(),
            "--api.insecure=true".to_owned(),
            "--accesslog.format=json".to_owned(),
            "--accesslog.fields.headers.names.User-Agent=keep".to_owned(),
            format!("--accesslog.filepath={}", folder.path().join("access.log").display()),
            "--global.checkNewVersion=false".to_owned(),
            "--global.sendAnonymousUsage=false".to_owned(),
        ]);
        let processes =
            [authentik_program("server", authentik), authentik_program("worker", worker), gateway];
        let processes = processes.map(|mut command| {
            Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts"))
        });
        let secrets = folder.path().join("secrets.json");
        let text = serde_json::json!({
            "api_token": TOKEN,
            "client_secrets": {
                "grafana-spacemusic": CLIENT_SECRET, "minio-spacemusic": CLIENT_SECRET,
            },
        });
        fs::write(&secrets, text.to_string()).unwrap();
        fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
        answers(authentik, "/-/health/ready/").await;
        answers(api, "/api/http/routers/authentik@file").await;
        Some(Self {
            folder,
            services,
            free,
            traefik_api: api,
            secrets,
            http,
            https,
            _processes: processes.into(),
            _postgres: postgres,
            _apps: apps,
        })
    }

    /// The folder of the deployment.
    pub(crate) fn deployment(&self) -> PathBuf {
        self.folder.path().join("spacemusic")
    }

    /// The folder of the gateway's file provider.
    pub(crate) fn dynamic(&self) -> PathBuf {
        self.folder.path().join("dynamic")
    }

    /// What is in it, by name.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, String> {
        let paths = fs::read_dir(self.dynamic()).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
    }

    /// `ssoproof` with these arguments for the site's deployment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ssoproof"));
        command
            .args(arguments)
            .arg("--deployment")
            .arg(self.folder.path().join("spacemusic"))
            .env_remove("SSOPROOF_STACK")
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("NO_COLOR", "1");
        command
    }

    /// Where every host is, for `--resolve`.
    pub(crate) fn resolve(&self) -> String {
        format!("*={},*:80={}", self.https, self.http)
    }

    /// A run on the site.
    pub(crate) fn run(&self, arguments: &[&str], report: Option<&Path>) -> Output {
        let mut command = self.command(&["run", "--stack", "attach", "--resolve", &self.resolve()]);
        command.arg("--ca").arg(self.folder.path().join("ca.pem")).arg("--secrets").arg(&self.secrets);
        command.args(report.iter().flat_map(|path| [Path::new("--json"), path]));
        command.args(arguments).output().unwrap()
    }

    /// The verdicts of a run on the site, which ends with `exit`.
    pub(crate) fn verdicts(&self, arguments: &[&str], exit: i32) -> Verdicts {
        let report = self.folder.path().join("report.json");
        let output = self.run(arguments, Some(&report));
        assert_eq!(output.status.code(), Some(exit), "{}", whole(&output));
        read(&report)
    }

    /// The verdicts of the embedded stack.
    pub(crate) fn embedded(&self) -> Verdicts {
        let report = self.folder.path().join("embedded.json");
        let output = self.command(&["run"]).arg("--json").arg(&report).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", whole(&output));
        read(&report)
    }

    /// Every request that the gateway has met so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let text = fs::read_to_string(self.folder.path().join("access.log")).unwrap();
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let field = |name: &str| line[name].as_str().map(str::to_owned);
            Request {
                method: field("RequestMethod").unwrap(),
                path: field("RequestPath").unwrap(),
                agent: field("request_User-Agent"),
            }
        };
        text.lines().map(line).collect()
    }

    /// Rewrites `deployment.yaml`.
    pub(crate) fn edit_deployment(&self, edit: impl Fn(&str) -> String) {
        let path = self.folder.path().join("spacemusic/deployment.yaml");
        fs::write(&path, edit(&fs::read_to_string(&path).unwrap())).unwrap();
    }
}

/// Both outputs in one line: messages are wrapped for people.
pub(crate) fn text(output: &Output) -> String {
    whole(output).split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

fn whole(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The verdicts in a report.
pub(crate) fn read(report: &Path) -> Verdicts {
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap().iter();
    let pair = |case: &Value| (case["id"].as_str().unwrap().into(), case["verdict"].as_str().unwrap().into());
    cases.map(pair).collect()
}

/// Writes `ca.pem`, and a certificate of it with its key; returns what trusts it.
fn certificates(folder: &Path, deployment: &Deployment) -> Arc<ClientConfig> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(deployment.hosts()).unwrap().signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("ca.pem"), issuer.pem()).unwrap();
    fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(issuer.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(client.with_root_certificates(roots).with_no_client_auth())
}

/// The deployment's Traefik files with every upstream where it is here, and the certificate.
fn traefik_files(folder: &Path, upstreams: &[(String, SocketAddr)]) {
    let dynamic = folder.join("dynamic");
    fs::create_dir(&dynamic).unwrap();
    for entry in fs::read_dir(folder.join("spacemusic/traefik")).unwrap() {
        let path = entry.unwrap().path();
        let mut text = fs::read_to_string(&path).unwrap();
        for (upstream, address) in upstreams {
            text = text.replace(upstream.trim_end_matches('/'), &format!("http://{address}"));
        }
        fs::write(dynamic.join(path.file_name().unwrap()), text).unwrap();
    }
    let [certificate, key] =
        ["certificate.pem", "key.pem"].map(|name| folder.join(name).display().to_string());
    let stores = serde_json::json!({ "default": { "defaultCertificate": { "certFile": certificate, "keyFile": key } } });
    fs::write(dynamic.join("tls.yml"), serde_json::json!({ "tls": { "stores": stores } }).to_string())
        .unwrap();
}

/// Waits until a GET of `path` is answered with success.
async fn answers(address: SocketAddr, path: &str) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let deadline = Instant::now() + Duration::from_secs(60);
    let ask = async || -> io::Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    };
    loop {
        let state = ask().await;
        if state.as_ref().is_ok_and(|answer| answer.starts_with("HTTP/1.1 20")) {
            return;
        }
        assert!(Instant::now() < deadline, "{path} at {address} did not answer in 60 s: {state:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
