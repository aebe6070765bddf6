//! The embedded MinIO where no recording can tell: what it does by itself, and what is too long for a recording. What
//! was recorded is replayed by the test `truth`.

#[expect(dead_code, reason = "the test `truth` uses the rest")]
#[path = "../truth/minio/client.rs"]
mod client;
mod console;
#[expect(dead_code, reason = "the test `truth` uses the rest")]
#[path = "../truth/minio/idp.rs"]
mod idp;

use std::time::Duration;

use client::{Told, element, may, plain, root, settings, sts};
use idp::{Idp, groups};
use serde_json::json;
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::minio::Minio;

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

/// `200`, or status, code and message.
fn line(told: &Told) -> String {
    match told.status {
        200 => "200".to_owned(),
        status => format!("{status} {}: {}", element(&told.body, "Code"), element(&told.body, "Message")),
    }
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
    assert_eq!(line(&sts(&minio, &groups(json!(["readonly"])), &[]).await), waiting);
    for (probe, status) in [("live", 200), ("ready", 200), ("cluster", 503)] {
        assert_eq!(plain(&minio, "GET", &format!("/minio/health/{probe}")).await.status, status, "{probe}");
    }
    assert_eq!(may(&minio, &root()).await["ListBuckets"], "200 ['data-bkt']");
    let tail = logs.tail("minio", 50).join("\n");
    assert!(tail.contains("Error: Unable to initialize OpenID: Get \"http://idp.test/"), "{tail}");

    let _idp = Idp::start(&names).await;
    until("initialised", || minio.initialised()).await;
    assert_eq!(plain(&minio, "GET", "/minio/health/cluster").await.status, 200);
    assert_eq!(line(&sts(&minio, &groups(json!(["readonly"])), &[]).await), "200");
}

/// `truth/minio/14-authentik-shapes`: `big_token_query`, with a token that is shorter than
/// recorded.
#[tokio::test]
async fn token_beyond_32_kib_does_not_fit_into_the_query() {
    let (minio, _idp) = started().await;
    let many: Vec<String> = (0..2_400).map(|i| format!("group-{i}")).chain(["readonly".to_owned()]).collect();
    let token = groups(json!(many));
    assert!(token.len() > 32 << 10);
    assert_eq!(
        line(&sts(&minio, &token, &[]).await),
        "400 XMinioInvalidResourceName: Resource name contains bad components such as \"..\" or \".\"."
    );
}

/// What credentials that ended give too (`truth/minio/14-authentik-shapes`: `short_creds_after_expiry`).
#[tokio::test]
async fn unknown_access_key_is_named_as_such() {
    let (minio, _idp) = started().await;
    for (operation, line) in may(&minio, &rusty_s3::Credentials::new("NOBODY", "x")).await {
        assert!(line.starts_with("403 InvalidAccessKeyId"), "{operation}: {line}");
    }
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
