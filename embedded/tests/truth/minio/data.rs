//! The recordings in `data/minio`: exchanges in order, and between them what was done to MinIO and its provider.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A recording. Headers are listed once and named by the answers that carry them.
#[derive(Deserialize)]
pub(crate) struct Recorded {
    pub(crate) headers: BTreeMap<String, Vec<(String, String)>>,
    pub(crate) steps: Vec<Step>,
}

/// One step of a recording.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// A new provider and a new MinIO.
    Start(Start),
    /// The provider answers otherwise.
    Show(Show),
    /// The provider goes `down` or comes `up`.
    Provider(String),
    /// The token endpoint gives an ID token.
    Tokens(Token),
    /// A request of the root user's to S3.
    Root { name: String, method: String, path: String, status: u16 },
    /// The names of all policies.
    Policies { name: String, names: Vec<String> },
    /// A policy is put, and refused for a reason.
    PutPolicy { name: String, policy: String, document: Value, refused: Option<String> },
    /// A policy is removed.
    RemovePolicy { name: String, policy: String },
    /// MinIO is started again on its data.
    Restart,
    /// Someone of these groups gets credentials.
    SignIn(Vec<String>),
    /// A request with its answer.
    Exchange(Box<Exchange>),
    /// A request of which the answer was recorded in short.
    Brief(Brief),
    /// What the credentials of `SignIn`, or bent ones, may do.
    May { name: String, who: String, can: BTreeMap<String, String> },
    /// What MinIO logged as errors, each once, and that nothing else kept it from starting.
    Log { name: String, errors: Vec<String> },
    /// What works for the root user and shows on the health pages.
    Probe(Probe),
    /// The role ARN of the client.
    RoleArn { name: String, arn: String },
    /// The provider's name in the state of the last login.
    State { name: String, idp_name: String },
    /// The query of the last login's redirect.
    Authorize { name: String, query: BTreeMap<String, String> },
    /// An exchange that is not had again.
    Unsent(String),
}

/// How MinIO and its provider are started.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Start {
    /// Settings that are not the usual ones, by the names of the variables.
    pub(crate) openid: BTreeMap<String, Value>,
    pub(crate) buckets: Vec<String>,
    pub(crate) policies: BTreeMap<String, Value>,
    /// The keys shown.
    pub(crate) keys: Option<Vec<Value>>,
    /// The whole JWKS shown.
    pub(crate) jwks: Option<Value>,
    pub(crate) shown: Vec<Show>,
    /// `down` when there is none.
    pub(crate) provider: String,
    /// `sso` or `without_sso`.
    pub(crate) console: String,
}

/// An answer of the provider.
#[derive(Deserialize)]
pub(crate) struct Show {
    /// `discovery`, `jwks` or `userinfo`.
    pub(crate) part: String,
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// A token to be signed by a key of that name.
#[derive(Clone, Deserialize)]
pub(crate) struct Token {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) key: String,
}

/// A request and everything that came of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    /// `s3` or `console`.
    at: String,
    method: String,
    path: String,
    #[serde(default)]
    query: Vec<(String, String)>,
    #[serde(default)]
    form: Vec<(String, String)>,
    json: Option<Value>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// Whether the cookie of the last login is sent.
    #[serde(default)]
    cookie: bool,
    pub(crate) token: Option<Token>,
    pub(crate) answer: Answer,
    /// What the provider saw.
    pub(crate) provider: Vec<String>,
    /// What the new credentials may do.
    pub(crate) may: Option<BTreeMap<String, String>>,
}

/// A request without what matters little.
#[derive(Deserialize)]
pub(crate) struct Brief {
    pub(crate) name: String,
    pub(crate) token: Token,
    pub(crate) form: Vec<(String, String)>,
    /// The status; code and message when it is not 200.
    pub(crate) line: String,
}

/// An answer.
#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The name of the headers.
    pub(crate) headers: String,
    pub(crate) body: String,
    /// The claims in the session token.
    pub(crate) session: Option<Value>,
}

/// Statuses and what a log-in at the console gave, if anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    pub(crate) name: String,
    pub(crate) root_list: u16,
    pub(crate) root_mkbucket: u16,
    pub(crate) health: BTreeMap<String, u16>,
    pub(crate) console_login: Option<u16>,
    /// The mode that the admin API shows.
    pub(crate) admin_info: String,
}

/// A request as data.
pub(crate) struct Wanted<'a> {
    pub(crate) console: bool,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(String, String)],
    pub(crate) form: &'a [(String, String)],
    pub(crate) json: Option<&'a Value>,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) cookie: bool,
}

impl Exchange {
    /// The request.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            console: self.at == "console",
            method: &self.method,
            path: &self.path,
            query: &self.query,
            form: &self.form,
            json: self.json.as_ref(),
            headers: &self.headers,
            cookie: self.cookie,
        }
    }
}

impl Brief {
    /// The request.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            console: false,
            method: "POST",
            path: "/",
            query: &[],
            form: &self.form,
            json: None,
            headers: &[],
            cookie: false,
        }
    }
}

/// Reads a recording.
///
/// # Panics
/// When the file is none.
pub(crate) fn read(version: &str, name: &str) -> Recorded {
    let path = format!("{}/tests/truth/data/minio/{version}/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}
