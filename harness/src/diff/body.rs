//! What a response's body says: fields with typed values, claims of tokens, the words of a page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::evidence::{ResponseRecord, jwt_part, mask_value};

/// The most fields of a body that are compared.
const MOST_FIELDS: usize = 500;

/// Claims whose value is new for every token; their length is not.
const OPAQUE: [&str; 9] =
    ["kid", "jti", "nonce", "sid", "at_hash", "c_hash", "s_hash", "session_state", "sub_jwk"];
/// Fields that hold a moment or a row's number.
const NUMBERS: [&str; 13] = [
    "exp",
    "iat",
    "nbf",
    "auth_time",
    "pk",
    "id",
    "user_pk",
    "num_pk",
    "users",
    "user",
    "provider",
    "providers",
    "outpost",
];
/// Fields of a key or certificate that are made anew for every stack.
const MATERIAL: [&str; 8] =
    ["n", "x", "y", "x5c", "x5t", "x5t#S256", "fingerprint_sha1", "fingerprint_sha256"];

/// Elements of S3 and STS whose text is new in every answer.
const OF_ONE_ANSWER: [&str; 9] = [
    "RequestId",
    "HostId",
    "SessionToken",
    "AccessKeyId",
    "SecretAccessKey",
    "Expiration",
    "LastModified",
    "ETag",
    "UploadId",
];

/// An element that holds text alone.
static LEAF: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is known to compile")]
    Regex::new(r"<([A-Za-z][A-Za-z0-9]*)>([^<]*)</").expect("pattern")
});

/// What was read of a body.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    pub(super) fields: BTreeMap<String, String>,
    pub(super) claims: BTreeMap<String, String>,
    pub(super) text: Option<String>,
}

/// Reads the body that came from `path`.
pub(super) fn read(path: &str, response: &ResponseRecord) -> Bodies {
    let mut bodies = Bodies::default();
    let media_type = response.media_type().unwrap_or_default();
    if response.body.is_empty() || response.body_cut {
        return bodies;
    }
    if let Some(value) = response.json().filter(|value| value.is_object() || value.is_array()) {
        let userinfo = path.ends_with("/userinfo/");
        let into = if userinfo { &mut bodies.claims } else { &mut bodies.fields };
        flatten(if userinfo { "userinfo" } else { "" }, &value, into);
        tokens(&value, &mut bodies.claims);
    } else if media_type.ends_with("xml") {
        elements(&response.text(), &mut bodies.fields);
    } else if media_type == "text/html" {
        bodies.text = Some(words(&response.text()));
    } else if media_type.starts_with("text/") {
        bodies.text = Some(response.text().trim().to_owned());
    }
    bodies
}

/// The claims of `token`, when it is a JWT, by `name.claim`; its header is `name.header`.
pub(super) fn claims(name: &str, token: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let compact = token.split('.').count() == 3;
    if compact && let (Some(header), Some(payload)) = (jwt_part(token, 0), jwt_part(token, 1)) {
        flatten(&format!("{name}.header"), &header, &mut all);
        flatten(name, &payload, &mut all);
        if let (Some(issued), Some(expires)) = (payload["iat"].as_i64(), payload["exp"].as_i64()) {
            all.insert(format!("{name}.exp"), format!("iat + {}", expires - issued));
        }
    }
    all
}

fn tokens(value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, item) in fields {
                match item {
                    Value::String(text) => into.extend(claims(name, text)),
                    item => tokens(item, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| tokens(item, into)),
        _ => {}
    }
}

/// Every field of `value` by its path. The entries of a list stand together; of what an API lists page by page, only
/// the shape counts: other cases add to it at the same time.
fn flatten(prefix: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let mut found = BTreeMap::new();
    let listing = value["pagination"].is_object();
    visit(prefix, value, listing, &mut found);
    into.extend(found.into_iter().take(MOST_FIELDS).map(|(path, values)| {
        let values: Vec<String> = values.into_iter().collect();
        (path, values.join(" | "))
    }));
}

fn visit(path: &str, value: &Value, shape: bool, into: &mut BTreeMap<String, BTreeSet<String>>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, item) in fields {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                visit(&below, item, shape, into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().for_each(|item| visit(&format!("{path}[]"), item, shape, into));
        }
        leaf => {
            into.entry(path.to_owned()).or_default().insert(leaf_text(path, leaf, shape));
        }
    }
}

fn leaf_text(path: &str, value: &Value, shape: bool) -> String {
    let name = path.rsplit('.').next().unwrap_or(path).trim_end_matches("[]");
    match value {
        Value::String(text) if OPAQUE.contains(&name) => opaque(text),
        Value::String(_) if MATERIAL.contains(&name) => "<of a key>".to_owned(),
        Value::Number(_) if NUMBERS.contains(&name) => "<number>".to_owned(),
        // Whether a time is there, such as that of the last login, is other cases' doing.
        Value::String(_) | Value::Null if shape => "<text or none>".to_owned(),
        Value::Number(_) if shape => "<number>".to_owned(),
        Value::Bool(_) if shape => "<yes or no>".to_owned(),
        Value::String(text) if text.starts_with(['/', 'h']) => mask_value(name, text, 0),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How an opaque value is written.
fn opaque(text: &str) -> String {
    let letters = if text.bytes().all(|byte| byte.is_ascii_hexdigit()) { "hex digits" } else { "characters" };
    format!("<{} {letters}>", text.chars().count())
}

/// The elements of an XML document that hold text, by name. What a bucket holds is other cases' doing too, so of a
/// listing only the bucket counts.
fn elements(document: &str, into: &mut BTreeMap<String, String>) {
    let listing = document.contains("<ListBucketResult");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for leaf in LEAF.captures_iter(document).take(MOST_FIELDS) {
        let (name, text) = (&leaf[1], &leaf[2]);
        if !listing || name == "Name" {
            let text = if OF_ONE_ANSWER.contains(&name) { "<of this answer>" } else { text };
            found.entry(name.to_owned()).or_default().insert(text.to_owned());
        }
    }
    into.extend(
        found.into_iter().map(|(name, texts)| (name, texts.into_iter().collect::<Vec<_>>().join(" | "))),
    );
}

/// What a reader of the page sees.
fn words(page: &str) -> String {
    let page = scraper::Html::parse_document(page);
    let mut words = Vec::new();
    for node in page.tree.nodes() {
        let Some(text) = node.value().as_text() else { continue };
        let parent =
            node.parent().and_then(|parent| parent.value().as_element().map(|of| of.name().to_owned()));
        if !matches!(parent.as_deref(), Some("script" | "style" | "template" | "noscript")) {
            words.extend(text.split_whitespace().map(str::to_owned));
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn token(payload: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2ln", part(&json!({"alg": "RS256", "kid": "0123456789abcdef"})), part(payload))
    }

    #[test]
    fn claims_are_decoded_and_typed() {
        let token = token(&json!({"iat": 1000, "exp": 1300, "email_verified": true, "jti": "abc-def",
            "groups": ["b", "a"]}));
        let claims = claims("id_token", &token);
        assert_eq!(claims["id_token.exp"], "iat + 300");
        assert_eq!(claims["id_token.iat"], "<number>");
        assert_eq!(claims["id_token.email_verified"], "true");
        assert_eq!(claims["id_token.jti"], "<7 characters>");
        assert_eq!(claims["id_token.groups[]"], "a | b");
        assert_eq!(claims["id_token.header.kid"], "<16 hex digits>");
    }

    #[test]
    fn of_a_listing_only_the_shape_counts() {
        let mut fields = BTreeMap::new();
        flatten(
            "",
            &json!({"pagination": {"count": 3}, "results": [{"name": "a"}, {"name": "b"}]}),
            &mut fields,
        );
        assert_eq!(fields["results[].name"], "<text or none>");
        assert_eq!(fields["pagination.count"], "<number>");
    }

    #[test]
    fn an_error_in_xml_is_read_by_its_elements() {
        let mut fields = BTreeMap::new();
        elements("<Error><Code>AccessDenied</Code><RequestId>5E33</RequestId></Error>", &mut fields);
        assert_eq!(fields["Code"], "AccessDenied");
        assert_eq!(fields["RequestId"], "<of this answer>");
        fields.clear();
        elements("<ListBucketResult><Name>a</Name><KeyCount>4</KeyCount></ListBucketResult>", &mut fields);
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["Name"]);
    }

    #[test]
    fn the_words_of_a_page_leave_scripts_out() {
        assert_eq!(words("<title>T</title><script>let a;</script><p>Not  <b>you</b></p>"), "T Not you");
    }
}
