//! Whether it is up, and whose headers an answer carries (`15-health-version`).

use ssoproof_embedded::authentik::Profile;

use crate::client::{Browser, fresh, header};

#[tokio::test]
async fn health_metrics_and_pages_answer_as_recorded() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = Browser::new(&authentik);
    // Path, status, whether the core's headers are there.
    for (path, status, core) in [
        ("/-/health/live/", 200, false),
        ("/-/health/ready/", 200, true),
        ("/-/metrics/", 401, true),
        ("/", 302, true),
        ("/robots.txt", 200, false),
        ("/if/user/", 200, true),
        ("/if/admin/", 200, true),
        ("/api/v3/root/config/", 200, true),
        ("/api/v3/admin/version/", 403, true),
        ("/api/v3/core/brands/current/", 200, true),
        ("/nosuchpage", 404, true),
        ("/if/flow/nosuch/", 404, true),
        ("/-/health/live", 404, true),
    ] {
        let response = browser.get(path).await;
        assert_eq!(response.status(), status, "{path}");
        let id = header(&response, "x-authentik-id");
        assert_eq!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), core, "{path}: {id}");
        assert_eq!(header(&response, "x-powered-by") == "authentik", core, "{path}");
    }
    assert_eq!(browser.send("HEAD", "/-/health/live/", &[], "").await.status(), 200);
}

#[tokio::test]
async fn a_stopped_server_answers_nobody() {
    let authentik = fresh(Profile::V2026_2).await;
    let address = authentik.address();
    drop(authentik);
    let closed = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), closed).await.unwrap();
}
