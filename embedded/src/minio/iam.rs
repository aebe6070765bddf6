//! Policies and credentials: who a request comes from and what it may do.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rand::Rng;
use serde_json::{Map, Value};

use super::builtin;
use super::policy::{Access, Decision, PolicyDocument, PolicyNameError, decide};
use crate::bounded::Bounded;

/// The most temporary credentials at once; the oldest go first.
const MAX_CREDENTIALS: usize = 2_048;

/// Temporary credentials and the claims they carry.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    /// An HS512 JWT of the claims, signed with the root secret.
    pub(super) session_token: String,
    /// When they end, in seconds since 1970.
    pub(super) expires: i64,
    claims: Map<String, Value>,
}

/// Who signed a request.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    /// The root user: everything is allowed.
    Root,
    /// Someone with temporary credentials.
    Session(Box<Credentials>),
}

/// Policies and credentials. They outlive a restart, as on MinIO's disks (`truth/minio/14-authentik-shapes`:
/// `creds_after_restart_and_rotation`).
pub(super) struct Iam {
    policies: BTreeMap<String, PolicyDocument>,
    credentials: Bounded<Credentials>,
    /// The claim that names policies.
    claim: String,
    /// Role ARN and its policies, comma-separated.
    role: Option<(String, String)>,
    /// Signs session tokens.
    secret: String,
}

impl Iam {
    pub(super) fn new(
        added: &BTreeMap<String, PolicyDocument>,
        claim: &str,
        role: Option<(String, String)>,
        secret: &str,
    ) -> Self {
        let mut policies = builtin::policies();
        policies.extend(added.clone());
        let (claim, secret) = (claim.to_owned(), secret.to_owned());
        Self { policies, credentials: Bounded::new(MAX_CREDENTIALS), claim, role, secret }
    }

    pub(super) fn put_policy(&mut self, name: &str, policy: PolicyDocument) -> Result<(), PolicyNameError> {
        if name.contains(',') {
            return Err(PolicyNameError::Comma);
        }
        self.policies.insert(name.to_owned(), policy);
        Ok(())
    }

    pub(super) fn policy_names(&self) -> Vec<String> {
        self.policies.keys().cloned().collect()
    }

    pub(super) fn remove_policy(&mut self, name: &str) -> bool {
        self.policies.remove(name).is_some()
    }

    pub(super) fn defines(&self, name: &str) -> bool {
        self.policies.contains_key(name)
    }

    /// Makes credentials that carry `claims` and end at their `exp`; `None` when there is none.
    pub(super) fn issue(&mut self, mut claims: Map<String, Value>) -> Option<Credentials> {
        let expires = claims.get("exp").and_then(Value::as_f64)? as i64;
        if expires == 0 {
            return None;
        }
        let access_key = random(20, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
        let secret_key = random(40, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
        claims.insert("accessKey".to_owned(), access_key.clone().into());
        let key = EncodingKey::from_secret(self.secret.as_bytes());
        let session_token = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).ok()?;
        let credentials = Credentials { access_key, secret_key, session_token, expires, claims };
        self.credentials.insert(credentials.access_key.clone(), credentials.clone());
        Some(credentials)
    }

    /// The credentials that go by `access_key`, unless they ended before `now`.
    pub(super) fn find(&self, access_key: &str, now: i64) -> Option<&Credentials> {
        self.credentials.get(access_key).filter(|credentials| credentials.expires > now)
    }

    /// Decides `access`, with the policies as they are now.
    pub(super) fn decide(&self, who: &Identity, access: &Access) -> Decision {
        let Identity::Session(credentials) = who else {
            let root =
                super::policy::StatementRef { policy: "root".to_owned(), index: 0, sid: String::new() };
            return Decision::Allowed(root);
        };
        let claims = &credentials.claims;
        let names = match (claims.get("roleArn"), &self.role) {
            (None, _) => claims.get(&self.claim).and_then(Value::as_str).unwrap_or_default(),
            (Some(Value::String(asked)), Some((arn, policies))) if asked == arn => policies,
            // A role nobody defined gives nothing (`truth/minio/11-claims`: `roleArn_claim`).
            (Some(_), _) => "",
        };
        let policies = names
            .split(',')
            .map(str::trim)
            .filter_map(|name| self.policies.get(name).map(|policy| (name, policy)));
        let access = with_claims(access, claims);
        let decision = decide(policies, &access);
        match claims.get("sessionPolicy") {
            Some(session) if decision.allowed() => match session_policy(session) {
                Some(policy) => match decide([("session policy", &policy)], &access) {
                    Decision::Allowed(_) => decision,
                    narrower => narrower,
                },
                None => Decision::NotMentioned,
            },
            _ => decision,
        }
    }

    /// Every action `who` is allowed by name, by resource pattern: what the console shows.
    pub(super) fn permissions(&self, who: &Identity) -> BTreeMap<String, Vec<String>> {
        let names = match who {
            Identity::Root => "consoleAdmin",
            Identity::Session(credentials) => {
                credentials.claims.get(&self.claim).and_then(Value::as_str).unwrap_or_default()
            }
        };
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let statements =
            names.split(',').filter_map(|name| self.policies.get(name)).flat_map(|policy| &policy.statement);
        for statement in statements.filter(|statement| statement.effect == super::policy::Effect::Allow) {
            for resource in &statement.resource {
                out.entry(resource.clone()).or_default().extend(statement.action.iter().cloned());
            }
        }
        out
    }
}

fn session_policy(claim: &Value) -> Option<PolicyDocument> {
    let bytes = STANDARD.decode(claim.as_str()?).ok()?;
    PolicyDocument::parse(std::str::from_utf8(&bytes).ok()?).ok()
}

/// `access` with each textual claim as the condition value `jwt:<claim>`.
fn with_claims(access: &Access, claims: &Map<String, Value>) -> Access {
    claims
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?)))
        .fold(access.clone(), |access, (name, value)| access.with(&format!("jwt:{name}"), value))
}

/// `length` characters of `alphabet`.
pub(super) fn random(length: usize, alphabet: &[u8]) -> String {
    let mut source = rand::rng();
    (0..length).map(|_| alphabet[source.random_range(0..alphabet.len())] as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn iam() -> Iam {
        Iam::new(&BTreeMap::new(), "groups", None, "root-secret")
    }

    fn session(iam: &mut Iam, claims: Value) -> Identity {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        Identity::Session(Box::new(iam.issue(claims).unwrap()))
    }

    #[test]
    fn credentials_end_with_their_exp_and_need_one() {
        let mut iam = iam();
        let claims = |value: Value| value.as_object().unwrap().clone();
        let issued = iam.issue(claims(json!({ "exp": 1_000.5, "groups": "readonly" }))).unwrap();
        assert_eq!(issued.expires, 1_000);
        assert!(iam.find(&issued.access_key, 999).is_some());
        assert!(iam.find(&issued.access_key, 1_000).is_none());
        assert!(iam.issue(claims(json!({}))).is_none());
        assert!(iam.issue(claims(json!({ "exp": 0 }))).is_none());
    }

    #[test]
    fn policy_removed_and_made_again_applies_at_once() {
        let mut iam = iam();
        let who = session(&mut iam, json!({ "exp": 9, "groups": "team" }));
        let read = Access::new("s3:GetObject", "data-bkt", "a");
        assert!(!iam.decide(&who, &read).allowed());
        iam.put_policy("team", builtin::policies()["readonly"].clone()).unwrap();
        assert!(iam.decide(&who, &read).allowed());
        assert!(iam.remove_policy("team"));
        assert!(!iam.decide(&who, &read).allowed());
    }

    #[test]
    fn session_policy_narrows_and_an_unknown_role_gives_nothing() {
        let mut iam = iam();
        let only_list = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Action":["s3:ListAllMyBuckets"],"Resource":["arn:aws:s3:::*"]}]}"#;
        let narrowed = session(
            &mut iam,
            json!({ "exp": 9, "groups": "consoleAdmin", "sessionPolicy": STANDARD.encode(only_list) }),
        );
        assert!(iam.decide(&narrowed, &Access::new("s3:ListAllMyBuckets", "", "")).allowed());
        assert!(!iam.decide(&narrowed, &Access::new("s3:GetObject", "b", "k")).allowed());
        let role = session(&mut iam, json!({ "exp": 9, "groups": "consoleAdmin", "roleArn": "arn:x" }));
        assert!(!iam.decide(&role, &Access::new("s3:ListAllMyBuckets", "", "")).allowed());
    }
}
