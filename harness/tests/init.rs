//! `ssoproof init`: what it writes for other people's files is checked and run at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use ssoproof::provision::provision;
use ssoproof::stacks::Secrets;
use ssoproof_deployment::{Deployment, Source};
use ssoproof_embedded::authentik::{self, Authentik, Profile};
use ssoproof_embedded::dial::{Client, Names};
use ssoproof_embedded::logs::Logs;

const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/doctor");
const TOKEN: &str = "SSOPROOF_TEST_TOKEN";

fn ssoproof(folder: &Path, arguments: &[&str], token: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("SSOPROOF_DEPLOYMENT")
        .env(TOKEN, token)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What was written, after it was checked and run.
struct Proven {
    folder: tempfile::TempDir,
    deployment: Deployment,
    yaml: String,
    run: String,
}

impl Proven {
    fn fails_today(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("expected-failures.yaml")).unwrap_or_default()
    }
}

/// Runs `init` in an empty folder, then `check` and `run` on what it wrote.
fn proven(traefik: &Path, more: &[&str], token: &str) -> Proven {
    let folder = tempfile::tempdir().expect("temporary folder");
    let traefik = traefik.display().to_string();
    let arguments = [&["init", "--traefik", traefik.as_str()], more].concat();
    let output = ssoproof(folder.path(), &arguments, token);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let yaml = std::fs::read_to_string(folder.path().join("deployment.yaml")).expect("written");
    let output = ssoproof(folder.path(), &["check"], "");
    assert_eq!(output.status.code(), Some(0), "{}\n{yaml}", text(&output));
    let output = ssoproof(folder.path(), &["run"], "");
    assert_eq!(output.status.code(), Some(0), "{}\n{yaml}", text(&output));
    let deployment = Deployment::load(folder.path()).expect("a deployment");
    Proven { folder, deployment, yaml, run: text(&output) }
}

/// The URLs of the services by their slugs.
fn urls(deployment: &Deployment) -> Vec<(&str, &str)> {
    deployment.services.iter().map(|(slug, service)| (slug.as_str(), service.url.as_str())).collect()
}

#[test]
fn the_traefik_files_of_spacemusic_give_its_hosts_and_nothing_fails() {
    let proven = proven(&Path::new(SCENARIOS).join("spacemusic/traefik"), &["--name", "Again"], "");
    let original = Deployment::load(&Path::new(SCENARIOS).join("spacemusic")).expect("deployment");
    let of = |deployment: &Deployment| -> BTreeMap<String, String> {
        let services = deployment.services.values();
        services.map(|service| (service.url.value.clone(), service.upstream.value.clone())).collect()
    };
    let deployment = &proven.deployment;
    assert_eq!(of(deployment), of(&original));
    assert_eq!(deployment.name, "Again");
    assert_eq!(*deployment.auth.url, *original.auth.url);
    assert_eq!(*deployment.auth.upstream, *original.auth.upstream);
    assert_eq!(*deployment.traefik.middleware, *original.traefik.middleware);
    assert_eq!(*deployment.traefik.outpost_router, *original.traefik.outpost_router);
    assert_eq!(
        deployment.headers.identity,
        original
            .headers
            .identity
            .clone()
            .into_iter()
            .map(|name| {
                let found = deployment.headers.identity.iter().find(|one| one.value == name.value);
                found.expect("the same header").clone()
            })
            .collect::<Vec<_>>()
    );
    assert!(
        proven.yaml.contains(
            "# Decide: forward auth does not protect dashboard.spacemusic.tv, s3.spacemusic.tv, storage"
        ),
        "{}",
        proven.yaml
    );
    assert_eq!(proven.fails_today(), "");
    assert!(proven.run.contains("LOGOUT-1"), "{}", proven.run);
}

#[test]
fn toml_files_in_another_style_are_read_as_well() {
    let proven = proven(&Path::new(SCENARIOS).join("lantern/traefik"), &["--traefik-version", "3.7"], "");
    let deployment = &proven.deployment;
    assert_eq!(
        urls(deployment),
        [
            ("handbook", "https://handbook.lantern-books.example"),
            ("orders", "https://orders.lantern-books.example"),
            ("stock", "https://stock.lantern-books.example"),
        ]
    );
    assert_eq!(*deployment.traefik.middleware, "staff-only@file");
    let names = &deployment.traefik.entry_points;
    assert_eq!((names.http.as_str(), names.https.as_str()), ("web", "https"));
    assert_eq!(deployment.versions.traefik, "3.7");
    assert_eq!(proven.fails_today(), "");
}

/// A variant of the doctor's fixtures, as far as `init` reads it.
#[derive(Deserialize)]
struct Variant {
    #[serde(default)]
    replace: Vec<Replace>,
    #[serde(default)]
    add: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Replace {
    r#in: String,
    from: String,
    to: String,
}

/// The Traefik folder `name` of a healthy variant.
fn healthy(variant: &str, name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let traefik = folder.path().join("traefik");
    std::fs::create_dir(&traefik).expect("folder");
    for file in ["authentik.yml", "services.yml"] {
        std::fs::copy(Path::new(FIXTURES).join("base/traefik").join(file), traefik.join(file))
            .expect("copied");
    }
    let source = Source::read(&Path::new(FIXTURES).join(format!("healthy/{variant}.yaml"))).expect("variant");
    let variant: Variant = source.yaml().expect("variant");
    for Replace { r#in: file, from, to } in
        variant.replace.iter().filter(|one| one.r#in.starts_with("traefik"))
    {
        let path = folder.path().join(file);
        let before = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, before.replacen(from, to, 1)).expect("written");
    }
    for (file, text) in &variant.add {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, text).expect("written");
    }
    let found = folder.path().join(name);
    (folder, found)
}

#[test]
fn files_of_others_are_written_down_and_what_fails_today_is_said() {
    for variant in ["base", "toml", "middleware-in-chain", "host-pattern"] {
        let (_folder, traefik) = healthy(variant, "traefik");
        let proven = proven(&traefik, &[], "");
        let expected = [("docs", "https://docs.example.org"), ("notes", "https://notes.example.net")];
        assert_eq!(urls(&proven.deployment), expected, "{variant}");
        let identity: Vec<&str> =
            proven.deployment.headers.identity.iter().map(|name| name.as_str()).collect();
        assert_eq!(identity.len(), 5, "{variant}: {identity:?}");
        // Seven of Authentik's twelve headers do not reach the services, and a client can send them.
        assert!(proven.fails_today().contains("- case: headers/header-all/*\n"), "{}", proven.fails_today());
        assert!(proven.run.contains("broken, as is known"), "{}", proven.run);
    }
}

#[test]
fn what_traefik_serves_itself_is_no_service_and_tls_may_be_the_entry_points() {
    let (_folder, traefik) = healthy("home-server", "own");
    let proven = proven(&traefik, &[], "");
    assert_eq!(
        urls(&proven.deployment),
        [("pve", "https://pve.home.example"), ("sonarr", "https://sonarr.home.example")]
    );
    assert!(proven.deployment.traefik.entry_points.https_tls);
    assert!(
        proven.yaml.contains("# traefik.home.example is protected, and no service answers its first page"),
        "{}",
        proven.yaml
    );
}

/// An Authentik that is set up as the deployment in `folder` says, and a token for its API.
async fn authentik(folder: &str) -> (Authentik, String) {
    let deployment = Deployment::load(&Path::new(SCENARIOS).join(folder)).expect("deployment");
    let secrets = Secrets::random(&deployment);
    let token = secrets.admin_token.expose_secret().to_owned();
    let started = Authentik::start(authentik::Settings {
        bootstrap_token: token.clone(),
        bootstrap_password: String::new(),
        state: None,
        store: None,
        secret_key: Vec::new(),
        profile: Profile::of(&deployment.versions.authentik).expect("version"),
        logs: Logs::default(),
    })
    .await
    .expect("Authentik");
    let names = Names::default();
    let url = format!("http://{}", started.address());
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = Client::new(names, std::sync::Arc::new(tls));
    provision(&deployment, client, &url, &secrets).await.expect("provisioned");
    (started, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn authentik_tells_applications_groups_and_users() {
    let (authentik, token) = authentik("spacemusic").await;
    let url = format!("http://{}", authentik.address());
    let more = ["--authentik", &url, "--token-env", TOKEN];
    let proven = tokio::task::block_in_place(|| {
        proven(&Path::new(SCENARIOS).join("spacemusic/traefik"), &more, &token)
    });
    let original = Deployment::load(&Path::new(SCENARIOS).join("spacemusic")).expect("deployment");
    let deployment = &proven.deployment;
    assert_eq!(urls(deployment), urls(&original));
    for (slug, service) in &deployment.services {
        let promised = &original.services[slug];
        let names = |service: &ssoproof_deployment::Service| -> Vec<String> {
            let mut names: Vec<String> = service.allow.iter().map(|group| group.value.clone()).collect();
            names.sort();
            names
        };
        assert_eq!((names(service), &service.title), (names(promised), &promised.title), "{slug}");
    }
    let grafana = deployment.apps.grafana.as_ref().expect("Grafana");
    assert_eq!(
        (grafana.url.as_str(), grafana.provider.client_id.as_str()),
        ("https://dashboard.spacemusic.tv", "grafana-spacemusic")
    );
    let usernames: Vec<&str> =
        deployment.personas.values().map(|persona| persona.username.as_str()).collect();
    assert!(usernames.contains(&"alice") && usernames.contains(&"mallory"), "{usernames:?}");
    assert!(deployment.personas.values().any(|persona| !persona.active), "{usernames:?}");
    assert!(proven.yaml.contains("looks like MinIO"), "{}", proven.yaml);
    assert!(!proven.yaml.contains(&token) && !proven.yaml.contains("secret"), "{}", proven.yaml);
    assert_eq!(proven.fails_today(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn authentik_tells_of_one_provider_for_a_domain() {
    let (authentik, token) = authentik("lantern").await;
    let url = format!("http://{}", authentik.address());
    let more = ["--authentik", &url, "--token-env", TOKEN, "--traefik-version", "3.7"];
    let proven =
        tokio::task::block_in_place(|| proven(&Path::new(SCENARIOS).join("lantern/traefik"), &more, &token));
    let deployment = &proven.deployment;
    let domain = &deployment.domains["shop"];
    assert_eq!(*domain.cookie_domain, "lantern-books.example");
    assert_eq!(*domain.external_host, "https://id.lantern-books.example");
    assert!(deployment.services.values().all(|service| service.domain.is_some()));
    assert!(proven.run.contains("DOMAIN-2"), "{}", proven.run);
    assert_eq!(proven.fails_today(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_a_wrong_place_are_said() {
    let (authentik, _) = authentik("lantern").await;
    let folder = tempfile::tempdir().expect("temporary folder");
    let traefik = format!("{SCENARIOS}/lantern/traefik");
    let init = |url: &str, token: &str| {
        let arguments = ["init", "--traefik", &traefik, "--authentik", url, "--token-env", TOKEN];
        let output = ssoproof(folder.path(), &arguments, token);
        (output.status.code(), text(&output))
    };
    let url = format!("http://{}", authentik.address());
    let (code, told) = tokio::task::block_in_place(|| init(&url, "wrong"));
    assert_eq!(code, Some(3), "{told}");
    assert!(
        told.contains("does not answer as it should: 403") && told.contains("the token is not good"),
        "{told}"
    );
    let (code, told) = init("http://127.0.0.1:9", "wrong");
    assert!(code == Some(3) && told.contains("`--authentik` is Authentik's own URL"), "{told}");
    let (code, told) = init(&url, "");
    assert!(
        code == Some(2) && told.contains(&format!("there is no token in the variable `{TOKEN}`")),
        "{told}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
}

/// What `init` complains of when the only Traefik file has this text.
fn complaint(file: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("temporary folder");
    std::fs::create_dir(folder.path().join("traefik")).expect("folder");
    std::fs::write(folder.path().join("traefik/dynamic.yml"), file).expect("written");
    let output = ssoproof(folder.path(), &["init", "--traefik", "traefik", "--output", "sso"], "");
    assert!(!folder.path().join("sso").exists());
    (output.status.code(), text(&output))
}

#[test]
fn files_that_hold_no_deployment_are_told_what_they_lack() {
    let router = "http:\n  routers:\n    docs: { rule: \"Host(`docs.test`)\", service: docs }\n  services:\n    docs: { loadBalancer: { servers: [{ url: \"http://docs\" }] } }\n";
    let middleware = "  middlewares:\n    sso: { forwardAuth: { address: \"http://id:9000/outpost.goauthentik.io/auth/traefik\" } }\n";
    let (code, told) = complaint(
        "http:\n  services:\n    docs: { loadBalancer: { servers: [{ url: \"http://docs\" }] } }\n",
    );
    assert!(code == Some(3) && told.contains("no file in `traefik` has a router"), "{told}");
    let (code, told) = complaint(router);
    assert!(code == Some(3) && told.contains("has a middleware of type forwardAuth"), "{told}");
    let (code, told) = complaint(&format!("{router}{middleware}"));
    assert!(code == Some(3) && told.contains("no router in `traefik` lists the middleware `sso`"), "{told}");
    let listed = router.replace("service: docs }", "service: docs, middlewares: [sso] }");
    let (code, told) = complaint(&format!("{listed}{middleware}"));
    assert!(code == Some(3) && told.contains("leads browsers to Authentik's own host"), "{told}");
    let (code, told) =
        complaint("http:\n  routers:\n    docs: { rule: \"Host(`docs.test`\", service: docs\n");
    assert!(code == Some(3) && told.contains("dynamic.yml:"), "{told}");
}

#[test]
fn folders_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let init = |arguments: &[&str]| {
        let output = ssoproof(folder.path(), &[&["init"], arguments].concat(), "");
        (output.status.code(), text(&output))
    };
    let (code, told) = init(&["--traefik", "nowhere"]);
    assert!(code == Some(3) && told.contains("failed to read `nowhere`"), "{told}");
    std::fs::create_dir(folder.path().join("empty")).expect("folder");
    let (code, told) = init(&["--traefik", "empty"]);
    assert!(code == Some(3) && told.contains("`empty` holds no file that Traefik reads"), "{told}");
    let traefik = format!("{SCENARIOS}/lantern/traefik");
    let (code, told) = init(&["--traefik", &traefik, "--output", &format!("{traefik}/sso")]);
    assert!(code == Some(3) && told.contains("is within the folder that Traefik reads"), "{told}");
    std::fs::write(folder.path().join("compose.yaml"), "services: {}\n").expect("written");
    let (code, told) = init(&["--traefik", &traefik]);
    assert!(
        code == Some(2) && told.contains("compose.yaml` would be read as a scenario, and is none"),
        "{told}"
    );
    let (code, _) = init(&["--traefik", &traefik, "--output", "sso"]);
    assert_eq!(code, Some(0));
}

#[test]
fn nothing_is_written_over_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let traefik = format!("{SCENARIOS}/lantern/traefik");
    let file = folder.path().join("deployment.yaml");
    std::fs::write(&file, "mine").expect("written");
    let output = ssoproof(folder.path(), &["init", "--traefik", &traefik], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("is there already"), "{}", text(&output));
    assert_eq!(std::fs::read_to_string(&file).expect("read"), "mine");
    let output = ssoproof(folder.path(), &["init", "--traefik", &traefik, "--force"], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(std::fs::read_to_string(&file).expect("read").starts_with("# Written by `ssoproof init`"));
}

#[test]
fn the_traefik_folder_is_named_as_seen_from_the_output() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let traefik = folder.path().join("traefik");
    std::fs::create_dir(&traefik).expect("folder");
    for file in ["10-id.toml", "20-shop.toml"] {
        std::fs::copy(Path::new(SCENARIOS).join("lantern/traefik").join(file), traefik.join(file))
            .expect("copied");
    }
    let output = ssoproof(folder.path(), &["init", "--traefik", "traefik", "--output", "tests/sso"], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let yaml = std::fs::read_to_string(folder.path().join("tests/sso/deployment.yaml")).expect("written");
    assert!(yaml.contains("  dynamic: \"../../traefik\"\n"), "{yaml}");
    assert!(text(&output).contains("next      ssoproof run tests/sso\n"), "{}", text(&output));
}
