//! What Authentik's database holds. Plain data: rules live where requests are answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::oauth2::keys::{KeyError, SigningKey};
use super::oauth2::pkce::Challenge;
use super::oauth2::redirect_uri::Matching;

/// A group of users.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Group {
    pub(crate) pk: Uuid,
    /// The number that 2026.2 shows beside the UUID.
    pub(crate) num_pk: u32,
    pub(crate) name: String,
    pub(crate) is_superuser: bool,
    pub(crate) parents: Vec<Uuid>,
    pub(crate) attributes: Map<String, Value>,
}

/// A user.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct User {
    pub(crate) pk: u64,
    pub(crate) uuid: Uuid,
    /// The hashed user id that `X-authentik-uid` and `sub` carry: 64 hex digits.
    pub(crate) uid: String,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) is_active: bool,
    /// `internal`, `external`, `service_account`.
    pub(crate) kind: String,
    pub(crate) path: String,
    /// Direct memberships, in the order given.
    pub(crate) groups: Vec<Uuid>,
    pub(crate) attributes: Map<String, Value>,
    /// Salted SHA-256 of the password; none when it is unusable.
    pub(crate) password: Option<PasswordHash>,
    pub(crate) date_joined: Timestamp,
    pub(crate) last_login: Option<Timestamp>,
    pub(crate) password_changed: Timestamp,
}

/// A password as stored: a test server hashes fast on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct PasswordHash {
    pub(crate) salt: [u8; 16],
    pub(crate) digest: [u8; 32],
}

/// An API or app-password token.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Token {
    pub(crate) pk: Uuid,
    pub(crate) identifier: String,
    pub(crate) key: String,
    pub(crate) user: u64,
    pub(crate) intent: Intent,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Intent {
    /// The REST API.
    Api,
    /// HTTP Basic at the outpost.
    AppPassword,
}

/// A flow and its stages.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Flow {
    pub(crate) pk: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) title: String,
    /// `authentication`, `authorization`, `invalidation`, …
    pub(crate) designation: String,
    /// `none`, `require_authenticated`, `require_unauthenticated`.
    pub(crate) authentication: String,
    pub(crate) stages: Vec<Stage>,
}

/// A stage bound to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Stage {
    Identification,
    Password,
    /// Asks for a second factor when the user has one; nobody has one here, so it passes at once.
    AuthenticatorValidate,
    UserLogin,
    UserLogout,
}

/// A certificate with its private key.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "StoredKeyPair", into = "StoredKeyPair")]
pub(crate) struct KeyPair {
    pub(crate) pk: Uuid,
    pub(crate) name: String,
    pub(crate) managed: Option<String>,
    /// The certificate, PEM.
    pub(crate) certificate: String,
    /// The private key, PKCS #8 PEM.
    pub(crate) private_key: String,
    /// The same key, ready to sign.
    pub(crate) signing: Arc<SigningKey>,
    pub(crate) not_after: Timestamp,
}

/// A key pair without what follows from its texts.
#[derive(Deserialize, Serialize)]
pub(crate) struct StoredKeyPair {
    pk: Uuid,
    name: String,
    managed: Option<String>,
    certificate: String,
    private_key: String,
    not_after: Timestamp,
    /// The key id; none where the key signs nothing.
    kid: Option<String>,
}

impl From<KeyPair> for StoredKeyPair {
    fn from(pair: KeyPair) -> Self {
        Self {
            pk: pair.pk,
            name: pair.name,
            managed: pair.managed,
            certificate: pair.certificate,
            private_key: pair.private_key,
            not_after: pair.not_after,
            kid: pair.signing.kid().map(str::to_owned),
        }
    }
}

impl TryFrom<StoredKeyPair> for KeyPair {
    type Error = KeyError;

    fn try_from(stored: StoredKeyPair) -> Result<Self, KeyError> {
        let signing = match stored.kid {
            Some(kid) => SigningKey::from_pem(&stored.private_key, kid)?,
            None => SigningKey::Secret(Vec::new()),
        };
        Ok(Self {
            pk: stored.pk,
            name: stored.name,
            managed: stored.managed,
            certificate: stored.certificate,
            private_key: stored.private_key,
            not_after: stored.not_after,
            signing: Arc::new(signing),
        })
    }
}

/// A scope mapping: an expression that gives the claims of a scope.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ScopeMapping {
    pub(crate) pk: Uuid,
    pub(crate) managed: Option<String>,
    pub(crate) name: String,
    pub(crate) scope_name: String,
    pub(crate) description: String,
    pub(crate) expression: String,
}

/// An OAuth2 provider; a proxy provider is one with a [`Proxy`] part.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Provider {
    pub(crate) pk: u64,
    pub(crate) name: String,
    pub(crate) authentication_flow: Option<Uuid>,
    pub(crate) authorization_flow: Uuid,
    pub(crate) invalidation_flow: Uuid,
    pub(crate) property_mappings: Vec<Uuid>,
    pub(crate) confidential: bool,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    /// A [`KeyPair`]; none signs with the client secret.
    pub(crate) signing_key: Option<Uuid>,
    pub(crate) encryption_key: Option<Uuid>,
    pub(crate) include_claims_in_id_token: bool,
    /// `hashed_user_id`, `user_id`, `user_uuid`, `user_username`, `user_email`, `user_upn`.
    pub(crate) sub_mode: String,
    /// `per_provider`, `global`.
    pub(crate) issuer_mode: String,
    pub(crate) access_code_validity: Lifetime,
    pub(crate) access_token_validity: Lifetime,
    pub(crate) refresh_token_validity: Lifetime,
    pub(crate) logout_uri: String,
    pub(crate) logout_method: String,
    pub(crate) proxy: Option<Proxy>,
}

/// A lifetime as the API writes it (`hours=1`) and in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Lifetime {
    pub(crate) text: String,
    pub(crate) seconds: i64,
}

/// A redirect URI of a provider.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RedirectUri {
    pub(crate) matching: Matching,
    pub(crate) url: String,
}

/// What makes a provider a proxy provider.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Proxy {
    /// `proxy`, `forward_single`, `forward_domain`.
    pub(crate) mode: String,
    pub(crate) external_host: String,
    pub(crate) internal_host: String,
    pub(crate) cookie_domain: String,
    pub(crate) skip_path_regex: String,
    pub(crate) intercept_header_auth: bool,
    pub(crate) basic_auth_enabled: bool,
    pub(crate) basic_auth_user_attribute: String,
    pub(crate) basic_auth_password_attribute: String,
}

/// An application: what users see of a provider.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Application {
    pub(crate) pk: Uuid,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) provider: Option<u64>,
    pub(crate) meta_launch_url: String,
    /// `any`, `all`.
    pub(crate) policy_engine_mode: String,
}

/// A binding that lets a group or a user into an application.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Binding {
    pub(crate) pk: Uuid,
    pub(crate) target: Uuid,
    pub(crate) group: Option<Uuid>,
    pub(crate) user: Option<u64>,
    pub(crate) order: i64,
    pub(crate) enabled: bool,
    pub(crate) negate: bool,
    pub(crate) timeout: i64,
}

/// An outpost; the embedded one exists from the start.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Outpost {
    pub(crate) pk: Uuid,
    pub(crate) name: String,
    pub(crate) managed: Option<String>,
    pub(crate) providers: Vec<u64>,
    pub(crate) config: Map<String, Value>,
}

/// A browser's session at the core, by its key.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct CoreSession {
    pub(crate) uuid: Uuid,
    /// The user, once signed in.
    pub(crate) user: Option<u64>,
    pub(crate) signed_in: Option<Timestamp>,
    /// `amr` of its tokens.
    pub(crate) methods: Vec<String>,
    pub(crate) csrf: String,
    /// The flow in progress.
    pub(crate) plan: Option<Plan>,
    /// The login that an authorize request with `prompt=login` or `max_age` did not accept.
    pub(crate) refused_login: Option<Timestamp>,
    pub(crate) user_agent: String,
    pub(crate) last_ip: String,
    pub(crate) last_used: Timestamp,
}

/// A flow in progress in a browser.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Plan {
    pub(crate) flow: Uuid,
    /// The stages to come.
    pub(crate) stages: Vec<PlannedStage>,
    /// The user found by the identification stage (absent for an unknown name) and the name typed.
    pub(crate) pending: Option<Pending>,
    /// Errors to show with the next challenge.
    pub(crate) errors: BTreeMap<String, Vec<(String, String)>>,
    /// How often a wrong password was given.
    pub(crate) failures: u32,
    /// Where the browser goes when the plan is done; empty for `/`.
    pub(crate) next: String,
    /// The application in whose name the flow runs (its slug).
    pub(crate) application: Option<String>,
}

/// A stage of a plan: bound to the flow, or put in by the program.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) enum PlannedStage {
    /// A bound stage.
    Bound(Stage),
    /// `ak-stage-session-end`, put in by the end-session endpoint.
    SessionEnd,
    /// `ak-stage-consent`, put in by an authorize request with `prompt=consent`.
    Consent {
        /// Scope names and what they are described as.
        permissions: Vec<(String, String)>,
    },
    /// The redirect to the client that follows a consent.
    Fulfilment,
    /// `ak-stage-autosubmit`, put in by an authorize request with `response_mode=form_post`.
    Autosubmit {
        /// Where the form goes.
        url: String,
        /// Its fields.
        fields: Vec<(String, String)>,
        title: String,
    },
}

/// Who is signing in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Pending {
    pub(crate) typed: String,
    pub(crate) user: Option<u64>,
    pub(crate) verified: bool,
}

/// A grant of the OAuth2 provider: what a code or token stands for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Grant {
    pub(crate) provider: u64,
    pub(crate) user: u64,
    /// The core session it came from (its key); a token without one was made by machine.
    pub(crate) session: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) auth_time: Timestamp,
    pub(crate) methods: Vec<String>,
    pub(crate) expires: Timestamp,
    /// For a refresh or access token: the claims of the id token that came with it.
    pub(crate) id_token: Map<String, Value>,
    pub(crate) revoked: bool,
}

/// A session of the embedded outpost, by its cookie's id. It begins when the login is done.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ProxySession {
    pub(crate) provider: u64,
    /// The claims of the user, fixed at login.
    pub(crate) claims: Map<String, Value>,
    /// The token the claims came in: `X-authentik-jwt`, and the hint of sign-out.
    pub(crate) raw_token: String,
    pub(crate) expires: Timestamp,
}
