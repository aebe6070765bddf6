//! IAM policies as MinIO reads and evaluates them: pure, no I/O, so that a harness can say in advance what a
//! group may do and which statement decides.
//!
//! Mirrors `truth/minio/02-groups-claim`, `03-policy-lifecycle` and the policy package of MinIO: every explicit
//! `Deny` wins over every `Allow`, what no statement names is denied, names and patterns are case-sensitive.

mod valid;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The prefix of every S3 resource.
const S3_ARN: &str = "arn:aws:s3:::";

/// One IAM policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    /// `2012-10-17`, or empty when left out.
    #[serde(default)]
    pub version: String,
    /// The statements, in the order of the document.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub statement: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// The statement's own name, empty when it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sid: String,
    /// What a matching statement does.
    pub effect: Effect,
    /// Patterns of the actions meant, such as `s3:Get*`.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub action: Vec<String>,
    /// Patterns of the actions left out.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub not_action: Vec<String>,
    /// Patterns of the resources meant, such as `arn:aws:s3:::bucket/*`.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// Patterns of the resources left out.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub not_resource: Vec<String>,
    /// Operator → key → values. `StringEquals`, `StringNotEquals`, `StringLike`, `StringNotLike` and
    /// `StringEqualsIgnoreCase` are evaluated; a statement with another operator never allows and always denies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<String, BTreeMap<String, Values>>,
}

/// What a matching statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Permits the request unless another statement denies it.
    Allow,
    /// Refuses the request whatever else permits it.
    Deny,
}

/// The values of one condition key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(#[serde(deserialize_with = "one_or_many")] pub Vec<String>);

/// Why a policy text was refused.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The text ends in the middle of the JSON.
    #[error("unexpected EOF")]
    Truncated,
    /// The text is not the JSON of a policy.
    #[error("{0}")]
    Malformed(String),
    /// The version is not one MinIO knows.
    #[error("invalid version '{0}'")]
    Version(String),
    /// A statement names no action.
    #[error("Action must not be empty")]
    NoAction,
    /// A statement about objects names no resource.
    #[error("Resource must not be empty")]
    NoResource,
    /// A statement about the server names this action besides.
    #[error("unsupported admin action '{0}'")]
    NotAdmin(String),
    /// A resource is not one of S3.
    #[error("invalid resource '{0}'")]
    Resource(String),
}

/// Why a policy's name was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyNameError {
    /// Claims part names by commas.
    #[error("Policy name may not contain comma")]
    Comma,
}

impl PolicyDocument {
    /// Reads the JSON of a policy.
    ///
    /// # Errors
    /// [`PolicyError`] with the words MinIO answers (`truth/minio/04-request-forms`: `session_policy_bad`).
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Eof => PolicyError::Truncated,
            _ => PolicyError::Malformed(error.to_string()),
        })?;
        if !["", "2012-10-17"].contains(&policy.version.as_str()) {
            return Err(PolicyError::Version(policy.version));
        }
        policy.statement.iter().try_for_each(Statement::check)?;
        Ok(policy)
    }
}

/// What is asked for: an action on a resource, with the values conditions and policy variables look at.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The action, such as `s3:GetObject` or `admin:ServerInfo`.
    pub action: String,
    /// The bucket, empty for actions on none.
    pub bucket: String,
    /// The object's key, empty for actions on the bucket.
    pub object: String,
    /// Condition values by key, such as `s3:prefix` or `jwt:preferred_username`.
    pub values: BTreeMap<String, Vec<String>>,
}

impl Access {
    /// `action` on `object` of `bucket`; either may be empty.
    pub fn new(action: &str, bucket: &str, object: &str) -> Self {
        Self {
            action: action.to_owned(),
            bucket: bucket.to_owned(),
            object: object.to_owned(),
            values: BTreeMap::new(),
        }
    }

    /// The same access with one more condition value.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.values.entry(key.to_owned()).or_default().push(value.to_owned());
        self
    }

    /// `bucket/object` as patterns see it: a bucket alone ends in a slash.
    fn resource(&self) -> String {
        format!("{}/{}", self.bucket, self.object.trim_start_matches('/'))
    }
}

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRef {
    /// The name of the policy.
    pub policy: String,
    /// The statement's place in it, from 0.
    pub index: usize,
    /// The statement's own name, empty when it has none.
    pub sid: String,
}

impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {} of policy `{}`", self.index, self.policy)?;
        if self.sid.is_empty() { Ok(()) } else { write!(f, " ({})", self.sid) }
    }
}

/// The verdict on an access, naming the statement that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This statement permits it and none denies it.
    Allowed(StatementRef),
    /// This statement denies it.
    Denied(StatementRef),
    /// No statement is about it, so it is refused.
    NotMentioned,
}

impl Decision {
    /// Whether the access goes through.
    pub fn allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(statement) => write!(f, "allowed by {statement}"),
            Self::Denied(statement) => write!(f, "denied by {statement}"),
            Self::NotMentioned => f.write_str("allowed by no statement"),
        }
    }
}

/// Decides `access` under all of `policies`, given by name: the union of what they allow, less what any denies.
pub fn decide<'a>(
    policies: impl IntoIterator<Item = (&'a str, &'a PolicyDocument)>,
    access: &Access,
) -> Decision {
    let mut allowed = None;
    for (name, policy) in policies {
        for (index, statement) in policy.statement.iter().enumerate() {
            if !statement.applies_to(access) {
                continue;
            }
            let here = || StatementRef { policy: name.to_owned(), index, sid: statement.sid.clone() };
            match statement.effect {
                Effect::Deny => return Decision::Denied(here()),
                Effect::Allow if allowed.is_none() => allowed = Some(here()),
                Effect::Allow => {}
            }
        }
    }
    allowed.map_or(Decision::NotMentioned, Decision::Allowed)
}

impl Statement {
    /// Statements about the server rather than its objects match whatever resource they name.
    fn about_server(&self) -> bool {
        let mut actions = self.action.iter();
        actions.any(|action| ["admin:", "kms:", "sts:"].iter().any(|kind| action.starts_with(kind)))
    }

    fn applies_to(&self, access: &Access) -> bool {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| wildcard(pattern, &access.action));
        if !self.action.is_empty() && !named(&self.action) || named(&self.not_action) {
            return false;
        }
        if self.action.is_empty() && self.not_action.is_empty() {
            return false;
        }
        if !self.about_server() && !self.covers(access) {
            return false;
        }
        self.condition.iter().all(|(operator, keys)| {
            keys.iter().all(|(key, wanted)| self.condition_holds(operator, key, &wanted.0, access))
        })
    }

    fn covers(&self, access: &Access) -> bool {
        let resource = access.resource();
        let named = |patterns: &[String]| {
            patterns.iter().any(|pattern| {
                let Some(pattern) = pattern.strip_prefix(S3_ARN) else { return false };
                let pattern = substitute(pattern, &access.values);
                pattern == resource.trim_end_matches('/') || wildcard(&pattern, &resource)
            })
        };
        if named(&self.not_resource) {
            return false;
        }
        // `s3:*` in a statement without resources names nothing; NotResource alone names the rest.
        if self.resource.is_empty() { !self.not_resource.is_empty() } else { named(&self.resource) }
    }

    fn condition_holds(&self, operator: &str, key: &str, wanted: &[String], access: &Access) -> bool {
        let empty = Vec::new();
        let got = access.values.get(key).unwrap_or(&empty);
        let any = |matches: fn(&str, &str) -> bool| {
            got.iter().any(|got| wanted.iter().any(|want| matches(&substitute(want, &access.values), got)))
        };
        match operator {
            "StringEquals" => any(|want, got| want == got),
            "StringNotEquals" => !any(|want, got| want == got),
            "StringEqualsIgnoreCase" => any(|want, got| want.eq_ignore_ascii_case(got)),
            "StringLike" => any(wildcard),
            "StringNotLike" => !any(wildcard),
            _ => self.effect == Effect::Deny,
        }
    }
}

/// Replaces each `${key}` that has a value; others stay and so match nothing real.
fn substitute(pattern: &str, values: &BTreeMap<String, Vec<String>>) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let found = after.split_once('}').and_then(|(key, tail)| Some((values.get(key)?.first()?, tail)));
        match found {
            Some((value, tail)) => {
                out.push_str(value);
                rest = tail;
            }
            None => {
                out.push_str("${");
                rest = after;
            }
        }
    }
    out + rest
}

/// Whether `text` matches `pattern`, where `*` stands for any run of bytes and `?` for one.
pub fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    p = after;
                    t = from + 1;
                    retry = Some((after, t));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// A JSON value that IAM lets stand alone or in a list.
fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Visitor<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("one value or a list of them")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            T::deserialize(serde::de::value::StrDeserializer::new(text)).map(|one| vec![one])
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
            T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|one| vec![one])
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(one) = seq.next_element()? {
                all.push(one);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(Visitor(std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use super::super::builtin;
    use super::*;
    use proptest::prelude::*;

    fn verdict(policies: &[&str], action: &str, bucket: &str, object: &str) -> bool {
        let all = builtin::policies();
        let chosen = policies.iter().map(|name| (*name, &all[*name]));
        decide(chosen, &Access::new(action, bucket, object)).allowed()
    }

    #[test]
    fn readonly_reads_but_does_not_list() {
        assert!(verdict(&["readonly"], "s3:GetObject", "data-bkt", "hello.txt"));
        assert!(!verdict(&["readonly"], "s3:ListBucket", "data-bkt", ""));
        assert!(!verdict(&["readonly"], "s3:PutObject", "data-bkt", "hello.txt"));
    }

    #[test]
    fn union_of_policies_is_additive() {
        assert!(verdict(&["readonly", "writeonly"], "s3:PutObject", "data-bkt", "a"));
        assert!(verdict(&["readonly", "writeonly"], "s3:GetObject", "data-bkt", "a"));
        assert!(!verdict(&["readonly", "writeonly"], "s3:DeleteObject", "data-bkt", "a"));
    }

    #[test]
    fn only_console_admin_and_diagnostics_see_server_info() {
        let names = ["consoleAdmin", "readwrite", "readonly", "writeonly", "diagnostics"];
        let may = names.map(|name| verdict(&[name], "admin:ServerInfo", "", ""));
        assert_eq!(may, [true, false, false, false, true]);
    }

    #[test]
    fn explicit_deny_wins_and_is_named() {
        let policy = PolicyDocument::parse(
            r#"{"Version":"2012-10-17","Statement":[
                {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::data-bkt*"},
                {"Sid":"NoSecrets","Effect":"Deny","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::data-bkt/secret/*"]}]}"#,
        )
        .unwrap();
        let read = |key: &str| decide([("p", &policy)], &Access::new("s3:GetObject", "data-bkt", key));
        assert!(read("open/a").allowed());
        assert_eq!(read("secret/a").to_string(), "denied by statement 1 of policy `p` (NoSecrets)");
        assert_eq!(
            decide([("p", &policy)], &Access::new("s3:GetObject", "other", "a")),
            Decision::NotMentioned
        );
    }

    #[test]
    fn bucket_is_matched_by_its_own_name_and_by_its_contents() {
        let text = |resource: &str| {
            format!(
                r#"{{"Statement":{{"Effect":"Allow","Action":"s3:ListBucket","Resource":"{resource}"}}}}"#
            )
        };
        let list = |resource: &str| {
            let policy = PolicyDocument::parse(&text(resource)).unwrap();
            decide([("p", &policy)], &Access::new("s3:ListBucket", "data-bkt", "")).allowed()
        };
        assert!(list("arn:aws:s3:::data-bkt"));
        assert!(list("arn:aws:s3:::data-bkt/*"));
        assert!(!list("arn:aws:s3:::data"));
        assert!(!list("arn:aws:s3:::DATA-BKT"));
    }

    #[test]
    fn conditions_and_variables_narrow_by_prefix_and_user() {
        let policy = PolicyDocument::parse(
            r#"{"Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::home",
                "Condition":{"StringLike":{"s3:prefix":["${jwt:preferred_username}/*"]}}}]}"#,
        )
        .unwrap();
        let list = |prefix: &str| {
            let access = Access::new("s3:ListBucket", "home", "")
                .with("s3:prefix", prefix)
                .with("jwt:preferred_username", "alice");
            decide([("home", &policy)], &access).allowed()
        };
        assert!(list("alice/2024"));
        assert!(!list("bob/2024"));
        assert!(!decide([("home", &policy)], &Access::new("s3:ListBucket", "home", "")).allowed());
    }

    #[test]
    fn not_action_and_not_resource_leave_out() {
        let policy = PolicyDocument::parse(
            r#"{"Statement":[{"Effect":"Allow","NotAction":"s3:Delete*","NotResource":"arn:aws:s3:::vault/*"}]}"#,
        )
        .unwrap();
        let may = |action: &str, bucket: &str| {
            decide([("p", &policy)], &Access::new(action, bucket, "k")).allowed()
        };
        assert!(may("s3:GetObject", "open"));
        assert!(!may("s3:DeleteObject", "open"));
        assert!(!may("s3:GetObject", "vault"));
    }

    #[test]
    fn operator_not_modelled_never_opens_a_door() {
        let text = |effect: &str| {
            format!(
                r#"{{"Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/open"}},
                {{"Effect":"{effect}","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*",
                "Condition":{{"IpAddress":{{"aws:SourceIp":"10.0.0.0/8"}}}}}}]}}"#
            )
        };
        let read = |effect: &str, key: &str| {
            let policy = PolicyDocument::parse(&text(effect)).unwrap();
            decide([("p", &policy)], &Access::new("s3:GetObject", "b", key)).allowed()
        };
        assert!(read("Allow", "open"));
        assert!(!read("Allow", "closed"));
        assert!(!read("Deny", "open"));
    }

    #[test]
    fn truncated_policy_is_refused_in_minio_words() {
        assert_eq!(PolicyDocument::parse("{").unwrap_err().to_string(), "unexpected EOF");
        assert_eq!(
            PolicyDocument::parse(r#"{"Version":"2020-01-01"}"#).unwrap_err().to_string(),
            "invalid version '2020-01-01'"
        );
    }

    proptest! {
        #[test]
        fn wildcard_agrees_with_a_regular_expression(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            let expression = format!("^{}$", pattern.replace('*', ".*").replace('?', "."));
            let expected = regex::Regex::new(&expression).unwrap().is_match(&text);
            prop_assert_eq!(wildcard(&pattern, &text), expected);
        }
    }
}
