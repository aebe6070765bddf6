//! The embedded MinIO answers as `truth/minio` records the real one. Cases under `tests/data/minio` are the
//! recordings, with times relative to the moment of the request.

mod client;
mod console;
mod idp;

use std::collections::BTreeMap;
use std::time::Duration;

use client::{element, form, may, on_bucket, plain, put_hello, root, settings, sts};
use idp::{Idp, claims_at, groups, jwk, token};
use serde::Deserialize;
use serde_json::{Value, json};
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::minio::{Minio, role_arn};

#[derive(Deserialize)]
struct Case {
    header: Value,
    claims: Value,
    times: Value,
    status: u16,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    /// Whether the provider was asked for its keys again.
    #[serde(default)]
    refetched: bool,
    may: Option<BTreeMap<String, String>>,
    #[serde(default = "k1")]
    signed_by: String,
}

fn k1() -> String {
    "k1".to_owned()
}

/// Replays `cases` and returns how many there were.
async fn replay(minio: &Minio, idp: &Idp, cases: &str) -> usize {
    let cases: BTreeMap<String, Case> = serde_json::from_str(cases).unwrap();
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        idp.seen();
        let token = token(&case.header, &claims_at(case.claims.clone(), &case.times), &case.signed_by);
        let told = sts(minio, &token, &[]).await;
        let got = (told.status, element(&told.body, "Code"), element(&told.body, "Message"));
        let expected = (case.status, case.code.clone(), case.message.clone());
        if got != expected {
            wrong.push(format!("{name}: got {got:?}, expected {expected:?}"));
        }
        let refetched = idp.seen().iter().any(|line| line == "GET jwks");
        if refetched != case.refetched {
            wrong.push(format!("{name}: keys fetched again: {refetched}, expected {}", case.refetched));
        }
        if let (200, Some(expected)) = (told.status, &case.may) {
            let got = may(minio, &told.credentials()).await;
            if got != *expected {
                wrong.push(format!("{name}: may {got:?}, expected {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    cases.len()
}

/// Waits until `reached`, for ten seconds at most.
async fn until(what: &str, reached: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !reached() {
        assert!(tokio::time::Instant::now() < deadline, "never {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn started() -> (Minio, Idp) {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let minio = Minio::start(settings(&names)).await.unwrap();
    (minio, idp)
}

#[tokio::test]
async fn groups_claim_gives_the_recorded_policies() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let mut settings = settings(&names);
    settings.buckets = vec!["data-bkt".to_owned()];
    let team = on_bucket(r#""s3:ListBucket","s3:GetObject","s3:PutObject","s3:DeleteObject""#);
    for name in ["spacemusic-admins", "Space Music", "a/b", "über", "consoleadmin", "grp,comma"] {
        settings.policies.insert(name.to_owned(), team.clone());
    }
    let minio = Minio::start(settings).await.unwrap();
    put_hello(&minio).await;
    sts(&minio, &groups(json!(["readonly"])), &[]).await.credentials();
    let cases = replay(&minio, &idp, include_str!("../data/minio/02-groups-claim.json")).await;
    assert_eq!(cases, 37);
}

#[tokio::test]
async fn claims_are_judged_as_recorded() {
    let (minio, idp) = started().await;
    sts(&minio, &groups(json!(["readonly"])), &[]).await.credentials();
    assert_eq!(replay(&minio, &idp, include_str!("../data/minio/11-claims.json")).await, 38);
}

#[tokio::test]
async fn algorithms_and_keys_are_judged_as_recorded() {
    let (minio, idp) = started().await;
    idp.show_keys(json!([jwk("k1", "k1"), jwk("ec", "ec"), jwk("ec384", "ec384"), jwk("ed", "ed")]));
    until("initialised", || minio.initialised()).await;
    minio.restart();
    sts(&minio, &groups(json!(["consoleAdmin"])), &[]).await.credentials();
    // Not replayed: `alg_ES512` (no P-521 here) and `alg_RS256_4096` (such a key takes seconds to make).
    assert_eq!(replay(&minio, &idp, include_str!("../data/minio/10-algs.json")).await, 30);
}

/// `truth/minio/13-rotation`.
#[tokio::test]
async fn keys_are_fetched_again_on_failure_and_never_purged() {
    let (minio, idp) = started().await;
    idp.show_keys(json!([]));
    let minted = |kid: &str, by: &str| {
        let claims = json!({ "sub": "sub-alice", "aud": "minio-client", "groups": ["readonly"] });
        let claims = claims_at(claims, &json!({ "exp": 600, "iat": 0 }));
        token(&json!({ "alg": "RS256", "kid": kid, "typ": "JWT" }), &claims, by)
    };
    until("initialised", || minio.initialised()).await;
    minio.restart();
    let (old, new) = (minted("k1", "k1"), minted("k2", "other"));
    let unknown = "400 InvalidParameterValue: No public key found for kid k1";
    assert_eq!(sts(&minio, &old, &[]).await.line(), unknown);
    idp.show_keys(json!([jwk("k1", "k1")]));
    assert_eq!(sts(&minio, &old, &[]).await.line(), "200");
    idp.seen();
    idp.show_keys(json!([jwk("other", "k2")]));
    assert_eq!(sts(&minio, &old, &[]).await.line(), "200");
    assert_eq!(idp.seen(), Vec::<String>::new());
    assert_eq!(sts(&minio, &new, &[]).await.line(), "200");
    assert_eq!(idp.seen(), ["GET jwks"]);
    assert_eq!(sts(&minio, &old, &[]).await.line(), "200");

    // An unsupported key listed last refuses the login that finds it, not the next.
    idp.show_keys(json!([jwk("ec", "k3"), { "kty": "oct", "kid": "o", "k": "AAAA" }]));
    let claims = json!({ "sub": "sub-alice", "aud": "minio-client", "groups": ["readonly"] });
    let claims = claims_at(claims, &json!({ "exp": 600 }));
    let third = token(&json!({ "alg": "ES256", "kid": "k3" }), &claims, "ec");
    let refused = "400 InvalidParameterValue: Unknown JWK key type oct";
    assert_eq!(sts(&minio, &third, &[]).await.line(), refused);
    assert_eq!(sts(&minio, &third, &[]).await.line(), "200");

    idp.show("jwks", 500, json!("broken"));
    assert_eq!(sts(&minio, &old, &[]).await.line(), "200");
    let fetch = "400 InvalidParameterValue: 500 Internal Server Error";
    assert_eq!(sts(&minio, &minted("zz", "k1"), &[]).await.line(), fetch);
    idp.show("jwks", 200, json!("<html>"));
    let html = "400 InvalidParameterValue: invalid character '<' looking for beginning of value";
    assert_eq!(sts(&minio, &minted("zz", "k1"), &[]).await.line(), html);
}

#[tokio::test]
async fn provider_that_went_down_is_named_in_the_refusal_while_known_keys_go_on() {
    let (minio, idp) = started().await;
    assert_eq!(sts(&minio, &groups(json!(["readonly"])), &[]).await.line(), "200");
    let address = idp.address;
    drop(idp);
    assert_eq!(sts(&minio, &groups(json!(["readonly"])), &[]).await.line(), "200");
    assert_eq!(
        sts(&minio, "garbage", &[]).await.line(),
        format!(
            "400 InvalidParameterValue: Get \"http://idp.test/application/o/minio/jwks/\": dial tcp {address}: connect: connection refused"
        )
    );
}

/// `truth/minio/22-startup`: `idp_down_then_up`.
#[tokio::test]
async fn iam_comes_up_by_itself_once_the_provider_does() {
    let names = Names::default();
    let mut settings = settings(&names);
    settings.buckets = vec!["data-bkt".to_owned()];
    let logs = settings.logs.clone();
    let minio = Minio::start(settings).await.unwrap();
    let waiting = "503 STSIAMNotInitialized: IAM sub-system is being initialized, please try again";
    assert_eq!(sts(&minio, &groups(json!(["readonly"])), &[]).await.line(), waiting);
    for (probe, status) in [("live", 200), ("ready", 200), ("cluster", 503)] {
        assert_eq!(plain(&minio, "GET", &format!("/minio/health/{probe}")).await.status, status, "{probe}");
    }
    assert_eq!(may(&minio, &root()).await["ListBuckets"], "200 ['data-bkt']");
    let tail = logs.tail("minio", 50).join("\n");
    assert!(tail.contains("Error: Unable to initialize OpenID: Get \"http://idp.test/"), "{tail}");

    let _idp = Idp::start(&names).await;
    until("initialised", || minio.initialised()).await;
    assert_eq!(plain(&minio, "GET", "/minio/health/cluster").await.status, 200);
    assert_eq!(sts(&minio, &groups(json!(["readonly"])), &[]).await.line(), "200");
}

/// `truth/minio/12-jwk-shapes` and `22-startup`: one bad answer keeps all of IAM down.
#[tokio::test]
async fn one_unusable_key_or_document_blocks_iam_and_the_log_says_which() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let good = jwk("k1", "k1");
    let cases = [
        (
            "jwks",
            200,
            json!({ "keys": [good, { "kty": "oct", "kid": "o", "k": "AAAA" }] }),
            "Unknown JWK key type oct",
        ),
        ("jwks", 200, json!({ "keys": [good, { "alg": "EdDSA", "kid": "x" }] }), "Unknown JWK key type "),
        (
            "jwks",
            200,
            json!({ "keys": [{ "kty": "RSA", "kid": "k1", "x5c": ["MII"] }] }),
            "malformed JWK RSA key",
        ),
        ("jwks", 500, json!("broken"), "500 Internal Server Error"),
        ("jwks", 200, json!(""), "EOF"),
        ("jwks", 200, json!("<html>"), "invalid character '<' looking for beginning of value"),
        (
            "discovery",
            200,
            json!({}),
            "no JWKS URI found in your provider's discovery doc (config_url=http://idp.test/application/o/minio/.well-known/openid-configuration)",
        ),
        ("discovery", 200, json!({ "jwks_uri": "/jwks/" }), "unexpected scheme found "),
        (
            "discovery",
            404,
            json!("none"),
            "unexpected error returned by http://idp.test/application/o/minio/.well-known/openid-configuration : status(404 Not Found)",
        ),
    ];
    for (part, status, body, words) in cases {
        idp.show(part, status, body);
        let settings = settings(&names);
        let logs = settings.logs.clone();
        let minio = Minio::start(settings).await.unwrap();
        assert_eq!(sts(&minio, &groups(json!(["readonly"])), &[]).await.status, 503, "{words}");
        let line = format!("Error: Unable to initialize OpenID: {words} (*fmt.wrapError)");
        assert!(logs.tail("minio", 50).contains(&line), "{line}\n{:#?}", logs.tail("minio", 50));
    }
}

/// `truth/minio/21-role-policy-and-config`: settings MinIO refuses before it dials anyone.
#[tokio::test]
async fn contradictory_settings_keep_iam_down() {
    let names = Names::default();
    let _idp = Idp::start(&names).await;
    let mut both = settings(&names);
    both.openid.role_policy = Some("readwrite".to_owned());
    let mut trailing = settings(&names);
    trailing.openid.scopes = "openid,profile,".to_owned();
    for (settings, words) in [
        (both, "Role Policy (=`readwrite`) and Claim Name (=`groups`) cannot both be set"),
        (trailing, "empty scope value is not allowed 'openid,profile,', please refer to our documentation"),
    ] {
        let logs = settings.logs.clone();
        let minio = Minio::start(settings).await.unwrap();
        assert_eq!(sts(&minio, &groups(json!(["readonly"])), &[]).await.status, 503, "{words}");
        assert!(logs.tail("minio", 50).join("\n").contains(words));
    }
}

/// `truth/minio/04-request-forms`.
#[tokio::test]
async fn request_forms_are_told_apart() {
    let (minio, _idp) = started().await;
    let token = groups(json!(["consoleAdmin"]));
    let action = ("Action", "AssumeRoleWithWebIdentity");
    let version = ("Version", "2011-06-15");
    let web = ("WebIdentityToken", token.as_str());
    let told = form(&minio, &[action, version, web]).await;
    assert_eq!(element(&told.body, "SubjectFromWebIdentityToken"), "sub-alice");
    let grants = [("Action", "AssumeRoleWithClientGrants"), version, ("Token", token.as_str())];
    assert_eq!(element(&form(&minio, &grants).await.body, "SubjectFromToken"), "sub-alice");
    let unsupported = "400 BadRequest: An unsupported API call for method: POST at '/'";
    for query in [
        format!("/?Action=AssumeRoleWithWebIdentity&WebIdentityToken={token}"),
        format!("/?Action=AssumeRoleWithWebIdentity&Version=2012-01-01&WebIdentityToken={token}"),
        "/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15".to_owned(),
        format!("/?Action=AssumeRoleWithX&Version=2011-06-15&WebIdentityToken={token}"),
    ] {
        assert_eq!(plain(&minio, "POST", &query).await.line(), unsupported, "{query}");
    }
    let segments = "400 InvalidParameterValue: token contains an invalid number of segments";
    for text in ["", "garbage", "a.b", "a.b.c.d.e"] {
        assert_eq!(sts(&minio, text, &[]).await.line(), segments, "{text}");
    }
    for (fields, line) in [
        (vec![action, web], "400 MissingParameter: Invalid STS API version , expecting 2011-06-15"),
        (
            vec![action, web, ("Version", "2012-01-01")],
            "400 MissingParameter: Invalid STS API version 2012-01-01, expecting 2011-06-15",
        ),
        (
            vec![("Action", "AssumeRoleWithX"), version, web],
            "400 InvalidParameterValue: Unsupported action AssumeRoleWithX",
        ),
    ] {
        assert_eq!(form(&minio, &fields).await.line(), line);
    }
    assert_eq!(plain(&minio, "GET", "/").await.line(), "403 AccessDenied: Access Denied.");
    assert_eq!(
        plain(&minio, "GET", "/oauth_callback?code=x&state=y").await.line(),
        "400 InvalidBucketName: The specified bucket is not valid."
    );
    assert_eq!(sts(&minio, &token, &[("RoleArn", "arn:minio:iam:::role/dummy")]).await.line(), "200");
    let eof = "400 InvalidParameterValue: unexpected EOF";
    assert_eq!(sts(&minio, &token, &[("Policy", "{")]).await.line(), eof);
    let path = format!("/sts/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken={token}");
    assert_eq!(plain(&minio, "POST", &path).await.line(), "200");
}

/// `truth/minio/14-authentik-shapes`: `big_token_query`, `big_token_form`.
#[tokio::test]
async fn token_beyond_32_kib_belongs_into_the_form() {
    let (minio, _idp) = started().await;
    let many: Vec<String> = (0..2_400).map(|i| format!("group-{i}")).chain(["readonly".to_owned()]).collect();
    let token = groups(json!(many));
    assert!(token.len() > 32 << 10);
    assert_eq!(
        sts(&minio, &token, &[]).await.line(),
        "400 XMinioInvalidResourceName: Resource name contains bad components such as \"..\" or \".\"."
    );
    let fields = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("WebIdentityToken", token.as_str()),
    ];
    assert_eq!(form(&minio, &fields).await.line(), "200");
}

/// `truth/minio/05-durations`.
#[tokio::test]
async fn duration_replaces_the_end_of_the_token() {
    let (minio, _idp) = started().await;
    let token = groups(json!(["readonly"]));
    for (asked, expected) in [("", 600), ("900", 900), ("604801", 604_801), ("31536000", 31_536_000)] {
        let told = sts(&minio, &token, &[("DurationSeconds", asked)]).await;
        let ends: jiff::Timestamp = element(&told.body, "Expiration").parse().unwrap();
        let left = ends.as_second() - jiff::Timestamp::now().as_second();
        assert!((expected - 5..=expected).contains(&left), "{asked}: {left}");
    }
    let refused = "400 InvalidParameterValue: invalid token expiry";
    assert_eq!(sts(&minio, &token, &[("DurationSeconds", "899")]).await.line(), refused);
}

/// `truth/minio/04-request-forms`: `session_policy`.
#[tokio::test]
async fn session_policy_narrows_what_the_groups_give() {
    let (minio, _idp) = started().await;
    let policy = serde_json::to_string(&on_bucket(r#""s3:GetObject""#)).unwrap();
    let who = sts(&minio, &groups(json!(["consoleAdmin"])), &[("Policy", &policy)]).await.credentials();
    let may = may(&minio, &who).await;
    assert_eq!(may["GetObject_bkt"], "404 NoSuchBucket");
    assert_eq!(may["PutObject_bkt"], "403 AccessDenied");
    assert_eq!(may["AdminInfo"], "403 AccessDenied");
}

/// `truth/minio/21-role-policy-and-config`.
#[tokio::test]
async fn role_policy_needs_its_arn_and_ignores_groups() {
    let names = Names::default();
    let _idp = Idp::start(&names).await;
    let mut settings = settings(&names);
    settings.openid.claim_name = String::new();
    settings.openid.role_policy = Some("readwrite".to_owned());
    let minio = Minio::start(settings).await.unwrap();
    let token = groups(json!(["consoleAdmin"]));
    assert_eq!(
        sts(&minio, &token, &[]).await.line(),
        "400 InvalidParameterValue: Role arn:minio:iam:::role/dummy-internal does not exist"
    );
    assert_eq!(
        sts(&minio, &token, &[("RoleArn", "arn:minio:iam:::role/nope")]).await.line(),
        "400 InvalidParameterValue: Error processing RoleArn parameter: RoleARN arn:minio:iam:::role/nope is not defined."
    );
    let arn = role_arn("minio-client");
    let who = sts(&minio, &token, &[("RoleArn", &arn)]).await.credentials();
    let may = may(&minio, &who).await;
    assert_eq!((may["MakeBucket"].as_str(), may["AdminInfo"].as_str()), ("200", "403 AccessDenied"));
    minio.remove_policy("readwrite");
    assert_eq!(
        sts(&minio, &token, &[("RoleArn", &arn)]).await.line(),
        "400 InvalidParameterValue: None of the given policies (`readwrite`) are defined, credentials will not be generated"
    );
}

/// `truth/minio/20-claim-userinfo`.
#[tokio::test]
async fn userinfo_adds_claims_and_replaces_none() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let mut settings = settings(&names);
    settings.openid.claim_userinfo = true;
    let minio = Minio::start(settings).await.unwrap();
    idp.show("userinfo", 200, json!({ "sub": "other", "aud": "minio-client", "groups": ["readonly"] }));
    let header = json!({ "alg": "RS256", "kid": "k1" });
    let bare = token(&header, &claims_at(json!({ "sub": "sub-alice" }), &json!({ "exp": 600 })), "k1");
    assert_eq!(
        sts(&minio, &bare, &[]).await.line(),
        "400 InvalidParameterValue: access_token is mandatory if user_info claim is enabled"
    );
    idp.seen();
    let access = [("WebIdentityAccessToken", "AT123")];
    let told = sts(&minio, &bare, &access).await;
    assert_eq!(element(&told.body, "SubjectFromWebIdentityToken"), "sub-alice");
    assert_eq!(idp.seen(), ["POST userinfo Bearer AT123"]);
    assert_eq!(
        sts(&minio, &groups(json!([])), &access).await.line(),
        "400 InvalidParameterValue: None of the given policies (``) are defined, credentials will not be generated"
    );
    idp.show("userinfo", 401, json!({}));
    assert_eq!(sts(&minio, &bare, &access).await.line(), "400 InvalidParameterValue: 401 Unauthorized");
}

/// `truth/minio/03-policy-lifecycle`.
#[tokio::test]
async fn policies_and_signatures_are_checked_as_recorded() {
    let names = Names::default();
    let _idp = Idp::start(&names).await;
    let mut settings = settings(&names);
    settings.buckets = vec!["data-bkt".to_owned()];
    let team = on_bucket(r#""s3:ListBucket","s3:GetObject","s3:PutObject","s3:DeleteObject""#);
    settings.policies.insert("spacemusic-admins".to_owned(), team);
    let minio = Minio::start(settings).await.unwrap();
    put_hello(&minio).await;
    let token = groups(json!(["spacemusic-admins"]));
    let who = sts(&minio, &token, &[]).await.credentials();
    assert_eq!(may(&minio, &who).await["GetObject_bkt"], "200");

    assert!(minio.remove_policy("spacemusic-admins"));
    let all: Vec<String> = may(&minio, &who).await.into_values().collect();
    assert!(all.iter().all(|line| line.starts_with("403 AccessDenied")), "{all:?}");
    assert_eq!(
        sts(&minio, &token, &[]).await.line(),
        "400 InvalidParameterValue: None of the given policies (`spacemusic-admins`) are defined, credentials will not be generated"
    );
    minio.put_policy("spacemusic-admins", on_bucket(r#""s3:GetObject""#));
    let after = may(&minio, &who).await;
    assert_eq!(after["GetObject_bkt"], "200");
    assert_eq!(after["PutObject_bkt"], "403 AccessDenied");

    let session = who.token().unwrap();
    let wrong = rusty_s3::Credentials::new_with_token(who.key(), "wrong", session);
    for (operation, line) in may(&minio, &wrong).await {
        // PutObject alone asks the policies before the signature.
        let code = if operation == "PutObject_bkt" { "AccessDenied" } else { "SignatureDoesNotMatch" };
        assert!(line.starts_with(&format!("403 {code}")), "{operation}: {line}");
    }
    let bare = rusty_s3::Credentials::new(who.key(), who.secret());
    let other = rusty_s3::Credentials::new_with_token(who.key(), who.secret(), "other");
    for who in [bare, other] {
        for (operation, line) in may(&minio, &who).await {
            assert!(line.starts_with("403 InvalidTokenId"), "{operation}: {line}");
        }
    }
    for (operation, line) in may(&minio, &rusty_s3::Credentials::new("NOBODY", "x")).await {
        assert!(line.starts_with("403 InvalidAccessKeyId"), "{operation}: {line}");
    }
}

/// `truth/minio/14-authentik-shapes`: `creds_after_restart_and_rotation`, `old_token_after_restart_rotation`.
#[tokio::test]
async fn restart_forgets_keys_and_keeps_credentials() {
    let (minio, idp) = started().await;
    let token = groups(json!(["consoleAdmin"]));
    let who = sts(&minio, &token, &[]).await.credentials();
    idp.show_keys(json!([jwk("other", "k2")]));
    assert_eq!(sts(&minio, &token, &[]).await.line(), "200");
    minio.restart();
    assert_eq!(
        sts(&minio, &token, &[]).await.line(),
        "400 InvalidParameterValue: No public key found for kid k1"
    );
    assert_eq!(may(&minio, &who).await["AdminInfo"], "200");
}

#[tokio::test]
async fn dropped_minio_lets_go_of_its_ports() {
    let (minio, _idp) = started().await;
    let (api, console) = (minio.api(), minio.console());
    assert_eq!(plain(&minio, "GET", "/minio/health/live").await.status, 200);
    drop(minio);
    for address in [api, console] {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            assert!(tokio::time::Instant::now() < deadline, "{address} still listens");
            tokio::task::yield_now().await;
        }
    }
}
