//! What the consoles show once someone signed in, and refusals that were not recorded.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::minio::{ConsoleVariant, Minio};

use crate::client::{send, settings, sts};
use crate::idp::{Idp, groups};
use crate::until;

async fn with(variant: ConsoleVariant) -> (Minio, Idp) {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let mut settings = settings(&names);
    settings.console = variant;
    settings.buckets = vec!["data-bkt".to_owned()];
    let minio = Minio::start(settings).await.unwrap();
    until("initialised", || minio.initialised()).await;
    (minio, idp)
}

async fn get(minio: &Minio, path: &str, cookie: &str) -> Response<Bytes> {
    send("GET", &format!("http://{}{path}", minio.console()), &[("cookie", cookie)], "").await
}

async fn post(minio: &Minio, path: &str, body: Value) -> Response<Bytes> {
    let url = format!("http://{}{path}", minio.console());
    send("POST", &url, &[("content-type", "application/json")], &body.to_string()).await
}

fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

fn cookies(response: &Response<Bytes>) -> Vec<String> {
    response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// `token=…` of a login's answer.
fn session(response: &Response<Bytes>) -> String {
    assert_eq!(response.status(), 204, "{:?}", response.body());
    cookies(response)[0].split(';').next().unwrap().to_owned()
}

/// The state in the only redirect rule.
async fn state(minio: &Minio) -> String {
    let login = json(&get(minio, "/api/v1/login", "").await);
    assert_eq!(login["loginStrategy"], "redirect");
    let redirect: url::Url = login["redirectRules"][0]["redirect"].as_str().unwrap().parse().unwrap();
    let query: std::collections::BTreeMap<String, String> = redirect.query_pairs().into_owned().collect();
    assert_eq!(query["scope"], "openid profile email openid");
    assert_eq!(query["redirect_uri"], format!("http://{}/oauth_callback", minio.console()));
    assert!(!query.contains_key("nonce") && !query.contains_key("code_challenge"));
    query["state"].clone()
}

/// `truth/minio/31-old-console-1.7.6-sso`: `GET_login` to `logout`.
#[tokio::test]
async fn sso_login_ends_in_a_session_with_the_rights_of_the_groups() {
    let (minio, idp) = with(ConsoleVariant::Sso).await;
    let state = state(&minio).await;
    let page = get(&minio, "/oauth_callback?code=abc&state=x", "").await;
    assert_eq!(
        (page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()),
        (200, "text/html")
    );

    let tokens = json!({ "access_token": "at", "id_token": groups(json!(["readonly"])), "expires_in": 3600 });
    idp.show("token", 200, tokens);
    idp.seen();
    let login = post(&minio, "/api/v1/login/oauth2/auth", json!({ "code": "abc", "state": state })).await;
    let cookie = session(&login);
    let set = cookies(&login);
    assert!(set[0].ends_with("; Max-Age=43200; HttpOnly; SameSite=Lax"), "{set:?}");
    assert_eq!(set[1], "idp-refresh-token=; Path=/; HttpOnly; SameSite=Lax");
    let seen = idp.seen();
    assert_eq!(seen[0], "GET discovery");
    assert!(seen[1].starts_with("POST token Basic "), "{seen:?}");

    let buckets = json(&get(&minio, "/api/v1/buckets", &cookie).await);
    assert_eq!(buckets["buckets"][0]["name"], "data-bkt");
    let who = json(&get(&minio, "/api/v1/session", &cookie).await);
    assert_eq!(who["permissions"]["arn:aws:s3:::*"], json!(["s3:GetBucketLocation", "s3:GetObject"]));

    // The same state again, by another browser.
    let again = post(&minio, "/api/v1/login/oauth2/auth", json!({ "code": "abc2", "state": state })).await;
    assert_eq!(again.status(), 204);

    let url = format!("http://{}/api/v1/logout", minio.console());
    let out = send("POST", &url, &[("cookie", &cookie)], "{}").await;
    assert_eq!(out.status(), 200);
    assert!(cookies(&out)[0].starts_with("token=; Path=/; Expires="), "{:?}", cookies(&out));
    assert_eq!(get(&minio, "/api/v1/session", &cookie).await.status(), 403);
}

#[tokio::test]
async fn refused_code_and_short_access_token_are_told_in_the_detailed_message() {
    let (minio, idp) = with(ConsoleVariant::Sso).await;
    let state = state(&minio).await;
    let failed = async |body: Value| {
        let response = post(&minio, "/api/v1/login/oauth2/auth", body).await;
        let told = json(&response);
        (response.status().as_u16(), told["detailedMessage"].as_str().unwrap_or_default().to_owned())
    };
    let good = json!({ "code": "abc", "state": state });

    let short = json!({ "access_token": "at", "id_token": groups(json!(["readonly"])), "expires_in": 300 });
    idp.show("token", 200, short);
    assert_eq!(failed(good.clone()).await, (500, "invalid token expiry".to_owned()));

    idp.show("token", 400, json!({ "error": "invalid_grant" }));
    assert_eq!(failed(good).await, (500, "oauth2: \"invalid_grant\"".to_owned()));
}

#[tokio::test]
async fn newest_console_shows_no_features() {
    let (minio, _idp) = with(ConsoleVariant::WithoutSso).await;
    let who = sts(&minio, &groups(json!(["consoleAdmin"])), &[]).await.credentials();
    let keys = json!({ "accessKey": who.key(), "secretKey": who.secret(), "sts": who.token() });
    let cookie = session(&post(&minio, "/api/v1/login", keys).await);
    assert_eq!(json(&get(&minio, "/api/v1/session", &cookie).await)["features"], json!([]));
}
