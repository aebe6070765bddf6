//! The shape of `deployment.yaml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::period::Period;
use crate::source::Located;
use crate::traefik::EntryPoint;

/// What a deployment promises. Read by [`Deployment::load`], which also proves that its names fit together.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// What people call it.
    pub name: String,
    /// Whether commands take it when none is named and several stand under `scenarios/`.
    #[serde(default)]
    pub default: bool,
    /// Authentik, the identity provider.
    pub auth: Auth,
    /// Traefik, the gateway.
    pub traefik: Traefik,
    /// The identity headers that backends receive.
    pub headers: Headers,
    /// The versions in use.
    pub versions: Versions,
    /// The container images, where they are not upstream's.
    #[serde(default)]
    pub images: Images,
    /// The groups that rights hang on.
    pub groups: Vec<Located<String>>,
    /// The users that scenarios play, by short name.
    pub personas: BTreeMap<String, Persona>,
    /// What stands behind forward auth, by Authentik slug.
    pub services: BTreeMap<String, Service>,
    /// Providers that each serve a whole domain, by the slug of their application.
    #[serde(default)]
    pub domains: BTreeMap<String, Domain>,
    /// The OIDC relying parties.
    #[serde(default)]
    pub apps: Apps,
    /// The scenarios of the library that hold here: families such as `login`, or single ones such as
    /// `logout/invalidation-flow`.
    #[serde(default, rename = "use")]
    pub used: Vec<Located<String>>,
    /// The promises that scenarios prove, by id. The library brings those of its scenarios; what is said here wins.
    #[serde(default)]
    pub requirements: BTreeMap<String, String>,
    /// What the deployment's own document says where the real programs do otherwise, by short name.
    #[serde(default)]
    pub statements: BTreeMap<String, Statement>,
    /// What is promised while tools rewrite the Traefik files.
    #[serde(default)]
    pub deploys: Option<Deploys>,
    /// The verbs that may change something on a stack that others have set up: `sign_out`, `authorize`, `admin`.
    /// Without them such a stack is only read.
    #[serde(default)]
    pub allow: Vec<Located<String>>,
    /// The folder that holds `deployment.yaml`.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The user's own command that keeps the middleware on the Traefik files. It is run, so that no file names it.
    #[serde(skip)]
    pub patch_command: Option<String>,
}

/// Authentik, the identity provider.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Its public URL, without a path.
    pub url: Located<String>,
    /// Where the gateway reaches it, as the Traefik files name it.
    pub upstream: Located<String>,
    /// Slug of the flow that signs users in.
    #[serde(default = "authentication_flow")]
    pub authentication_flow: String,
    /// Slug of the flow that ends the core session.
    #[serde(default = "invalidation_flow")]
    pub invalidation_flow: String,
    /// Slug of the flow that providers start at their end-session endpoint.
    #[serde(default = "provider_invalidation_flow")]
    pub provider_invalidation_flow: String,
    /// Where users are sent to sign out.
    pub logout_url: Located<String>,
}

impl Auth {
    /// Authentik at `url`, with the flows that it comes with, where the gateway reaches it at `upstream`.
    pub fn new(url: &str, upstream: String) -> Self {
        let invalidation_flow = invalidation_flow();
        Self {
            url: Located::nowhere(url.to_owned()),
            upstream: Located::nowhere(upstream),
            authentication_flow: authentication_flow(),
            provider_invalidation_flow: provider_invalidation_flow(),
            logout_url: Located::nowhere(format!("{url}/if/flow/{invalidation_flow}/")),
            invalidation_flow,
        }
    }
}

fn authentication_flow() -> String {
    "default-authentication-flow".to_owned()
}

fn invalidation_flow() -> String {
    "default-invalidation-flow".to_owned()
}

fn provider_invalidation_flow() -> String {
    "default-provider-invalidation-flow".to_owned()
}

/// Traefik, the gateway.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traefik {
    /// The folder of the file provider, relative to `deployment.yaml`.
    pub dynamic: Located<PathBuf>,
    /// The forward auth middleware that protects services, with its provider: `authentik@file`.
    pub middleware: Located<String>,
    /// The router that sends the outpost's paths to Authentik.
    pub outpost_router: Located<String>,
    /// The entry points.
    #[serde(default)]
    pub entry_points: EntryPoints,
    /// `providersThrottleDuration`: how long a change of files is held back after another. Where it is left out, Traefik
    /// takes 2 s and the embedded gateway, which need not be spared, a moment.
    #[serde(default)]
    pub throttle: Option<Located<Period>>,
}

impl Traefik {
    /// How long a real Traefik holds a change of files back after another.
    pub fn throttle(&self) -> Duration {
        self.throttle.as_ref().map_or(Duration::from_secs(2), |stated| stated.0)
    }
}

/// What is promised while tools rewrite the Traefik files.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploys {
    /// The longest time for which a deploy may leave a service open to everybody.
    pub limit: Located<Period>,
}

/// The names of the gateway's entry points.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryPoints {
    /// The one that speaks plain HTTP.
    pub http: String,
    /// The one that ends TLS.
    pub https: String,
    /// Whether the static configuration sets `http.tls` for it, so that every router on it answers TLS.
    #[serde(default)]
    pub https_tls: bool,
}

impl EntryPoints {
    /// The plain one and the one that ends TLS, as Traefik has them.
    pub fn both(&self) -> [EntryPoint; 2] {
        [EntryPoint::new(&self.http), EntryPoint { name: self.https.clone(), tls: self.https_tls }]
    }
}

impl Default for EntryPoints {
    fn default() -> Self {
        Self { http: "web".to_owned(), https: "websecure".to_owned(), https_tls: false }
    }
}

/// The identity headers that backends receive.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Headers {
    /// What stands between two group names: Authentik sends `|`.
    pub group_separator: Located<String>,
    /// Every header whose value the gateway must vouch for.
    pub identity: Vec<Located<String>>,
}

/// The versions in use, as `major.minor`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Authentik's.
    pub authentik: String,
    /// Traefik's.
    pub traefik: String,
    /// PostgreSQL's.
    pub postgres: String,
    /// Redis's.
    pub redis: String,
}

/// The container image of each component. The services are served by the harness.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// PostgreSQL's.
    #[serde(default)]
    pub postgres: Option<String>,
    /// Redis's.
    #[serde(default)]
    pub redis: Option<String>,
    /// Traefik's.
    #[serde(default)]
    pub traefik: Option<String>,
    /// Authentik's, for server and worker; `embedded` where the harness shall serve it.
    #[serde(default)]
    pub authentik: Option<String>,
    /// Grafana's; `embedded` where the harness shall serve it.
    #[serde(default)]
    pub grafana: Option<String>,
    /// MinIO's; `embedded` where the harness shall serve it.
    #[serde(default)]
    pub minio: Option<String>,
}

/// A user that scenarios play.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// The name typed at the login page.
    pub username: Located<String>,
    /// The display name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The groups the user is a direct member of.
    #[serde(default)]
    pub groups: Vec<Located<String>>,
    /// Whether Authentik lets the user sign in.
    #[serde(default = "yes")]
    pub active: bool,
    /// The role that Grafana must give, when the deployment promises one.
    #[serde(default)]
    pub grafana_role: Option<String>,
    /// Environment variable with the password, for a stack that others have set up; `SSOPROOF_PASSWORD_<NAME>` when
    /// left out.
    #[serde(default)]
    pub password_env: Option<String>,
}

fn yes() -> bool {
    true
}

/// Something behind forward auth.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// What people call it.
    pub title: String,
    /// Its public URL, without a path.
    pub url: Located<String>,
    /// Where the gateway reaches it, as the Traefik files name it.
    pub upstream: Located<String>,
    /// The groups whose members get in; empty lets every user in. Those of the domain where `domain` names one.
    #[serde(default)]
    pub allow: Vec<Located<String>>,
    /// The one of `domains` whose provider serves it, in place of a provider of its own.
    #[serde(default)]
    pub domain: Option<Located<String>>,
    /// The header-to-cookie bridge in the service, when it has one.
    #[serde(default)]
    pub bridge: Option<Bridge>,
    /// Whether the provider is added to the embedded outpost.
    #[serde(default = "yes")]
    pub in_outpost: bool,
    /// Whether the service itself, on a stack that others have set up, answers with the request that reached it: in
    /// JSON with a `headers` object, or in the text of `traefik/whoami`.
    #[serde(default)]
    pub echo: bool,
}

impl Service {
    /// Whether the gateway speaks TLS to it.
    pub fn speaks_tls(&self) -> bool {
        self.upstream.starts_with("https:")
    }
}

/// A provider that serves every host of a domain with one session: Authentik's mode `forward_domain`.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// What people call its application.
    pub title: String,
    /// The URL whose host has the outpost's paths for all of them, without a path.
    pub external_host: Located<String>,
    /// The domain that its cookie is for.
    pub cookie_domain: Located<String>,
    /// The groups whose members get in; empty lets every user in.
    #[serde(default)]
    pub allow: Vec<Located<String>>,
    /// Whether the provider is added to the embedded outpost.
    #[serde(default = "yes")]
    pub in_outpost: bool,
}

impl Domain {
    /// Whether `host` is of this domain.
    pub fn holds(&self, host: &str) -> bool {
        is_within(host, &self.cookie_domain)
    }
}

/// Whether a cookie for `cookie_domain`, with a dot in front or without, goes to `host`.
pub fn is_within(host: &str, cookie_domain: &str) -> bool {
    let domain = cookie_domain.trim_start_matches('.');
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// How a SvelteKit service keeps the identity for client-side navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bridge {
    /// Plain cookies set from the headers and believed afterwards.
    AsDocumented,
    /// Identity from the headers, or from a cookie that only the service can make.
    Safe,
}

/// The OIDC relying parties.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apps {
    /// Grafana.
    #[serde(default)]
    pub grafana: Option<Grafana>,
    /// MinIO.
    #[serde(default)]
    pub minio: Option<Minio>,
}

/// The Authentik side of a relying party.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The application's slug.
    pub slug: Located<String>,
    /// The OAuth2 client id.
    pub client_id: String,
    /// The redirect URIs, matched strictly.
    pub redirect_uris: Vec<Located<String>>,
    /// The scopes the relying party asks for.
    pub scopes: Vec<Located<String>>,
    /// The key that signs its tokens.
    pub signing_key: Located<SigningKey>,
    /// Slug of the flow at its end-session endpoint; the auth host's provider invalidation flow by default.
    #[serde(default)]
    pub invalidation_flow: Option<String>,
}

/// The key that signs a provider's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SigningKey {
    /// An RSA key made for this deployment: RS256.
    DedicatedRsa,
    /// An EC key made for this deployment: ES256.
    DedicatedEc,
    /// The certificate Authentik comes with, an RSA key as well: RS256.
    SelfSigned,
    /// None: HS256 with the client secret and no `kid`.
    None,
}

/// Grafana.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grafana {
    /// Its public URL, without a path.
    pub url: Located<String>,
    /// Where the gateway reaches it.
    pub upstream: Located<String>,
    /// Its side in Authentik.
    pub provider: Provider,
    /// `GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH`.
    pub role_attribute_path: Located<String>,
    /// `GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_STRICT`.
    #[serde(default)]
    pub role_attribute_strict: bool,
    /// `GF_AUTH_SIGNOUT_REDIRECT_URL`.
    #[serde(default)]
    pub signout_redirect_url: Option<Located<String>>,
}

/// MinIO.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Minio {
    /// The console's public URL, without a path.
    pub url: Located<String>,
    /// Where the gateway reaches the console.
    pub upstream: Located<String>,
    /// The public URL of the S3 and STS API.
    pub api_url: Located<String>,
    /// Where the gateway reaches the API.
    pub api_upstream: Located<String>,
    /// Its side in Authentik.
    pub provider: Provider,
    /// `MINIO_IDENTITY_OPENID_CLAIM_NAME`.
    pub claim_name: Located<String>,
    /// IAM policies by name: the names that the claim must hold.
    pub policies: BTreeMap<String, Located<PathBuf>>,
    /// Buckets that exist from the start.
    #[serde(default)]
    pub buckets: Vec<String>,
}

/// What the deployment's document says where the real programs do otherwise.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The document's words.
    pub document: String,
    /// What is true.
    pub truth: String,
}
