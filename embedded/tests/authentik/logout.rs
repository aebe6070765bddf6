//! What ends a session (`36-invalidation-0`, `37-invalidation-page-only`, `38-invalidation-unauth`, `50` to `55`).

use serde_json::{Value, json};
use ssoproof_embedded::authentik::{Authentik, Profile};

use crate::client::{Browser, challenge, executor, fresh, header, set_cookies};

const FLOW: &str = "default-invalidation-flow";

async fn signed_in(authentik: &Authentik, username: &str) -> Browser {
    let mut browser = Browser::new(authentik);
    browser.log_in(username, &format!("{username}-Passw0rd!")).await;
    assert_eq!(browser.me().await, 200);
    browser
}

#[tokio::test]
async fn the_invalidation_page_alone_keeps_the_session_and_its_script_ends_it() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = signed_in(&authentik, "akadmin").await;
    assert_eq!(browser.get(&format!("/if/flow/{FLOW}/")).await.status(), 200);
    assert_eq!(browser.me().await, 200);

    let ended = browser.get(&executor(FLOW, "next=%2Felsewhere")).await;
    assert_eq!(challenge(&ended), json!({ "component": "xak-flow-redirect", "to": "/" }));
    assert_eq!(
        set_cookies(&ended),
        [
            "authentik_session=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=None; Secure"
        ]
    );
    assert_eq!(browser.me().await, 403);

    let hops = ["/", "/flows/-/default/authentication/?next=/"];
    let targets = [hops[1], "/if/flow/default-authentication-flow/?next=%2F"];
    for (hop, target) in hops.into_iter().zip(targets) {
        let response = browser.get(hop).await;
        assert_eq!((response.status().as_u16(), header(&response, "location")), (302, target));
        assert_eq!(set_cookies(&response), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn a_session_once_ended_does_not_come_back_with_its_cookie() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = signed_in(&authentik, "akadmin").await;
    let kept = browser.cookies.clone();
    browser.get(&executor(FLOW, "")).await;
    browser.cookies = kept;
    assert_eq!(browser.me().await, 403);
}

#[tokio::test]
async fn invalidation_while_logged_out_leads_to_the_login() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = Browser::new(&authentik);
    let response = browser.get(&executor(FLOW, "")).await;
    assert_eq!(challenge(&response), json!({ "component": "xak-flow-redirect", "to": "/" }));
    assert_eq!(set_cookies(&response), Vec::<&str>::new());
    let default = browser.get("/flows/-/default/invalidation/").await;
    assert_eq!(header(&default, "location"), "/if/flow/default-invalidation-flow/");
}

#[tokio::test]
async fn an_admin_ends_a_session_and_other_browsers_stay() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut first = Browser::new(&authentik);
    first.make_user("alice").await;
    let mut first = signed_in(&authentik, "alice").await;
    let path = "/api/v3/core/authenticated_sessions/";
    let found = first.admin("GET", &format!("{path}?user__username=alice"), Value::Null, 200).await;
    let mut second = signed_in(&authentik, "alice").await;
    assert_eq!(found["pagination"]["count"], 1);
    let uuid = found["results"][0]["uuid"].as_str().unwrap();
    first.admin("DELETE", &format!("{path}{uuid}/"), Value::Null, 204).await;
    assert_eq!((first.me().await, second.me().await), (403, 200));
}

#[tokio::test]
async fn a_user_deactivated_or_deleted_is_out_and_a_new_password_changes_nothing() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut admin = Browser::new(&authentik);
    let pk = admin.make_user("bob").await;
    let path = format!("/api/v3/core/users/{pk}/");

    let mut browser = signed_in(&authentik, "bob").await;
    admin.admin("POST", &format!("{path}set_password/"), json!({ "password": "bob-Passw0rd!" }), 204).await;
    assert_eq!(browser.me().await, 200);
    admin.admin("PATCH", &path, json!({ "is_active": false }), 200).await;
    let refused = browser.get("/api/v3/core/users/me/").await;
    assert_eq!(refused.body(), r#"{"detail":"Authentication credentials were not provided."}"#);

    admin.admin("PATCH", &path, json!({ "is_active": true }), 200).await;
    let mut browser = signed_in(&authentik, "bob").await;
    admin.admin("DELETE", &path, Value::Null, 204).await;
    assert_eq!(browser.me().await, 403);
}

#[tokio::test]
async fn cancelling_gives_the_flow_up() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = Browser::new(&authentik);
    let path = executor("default-authentication-flow", "");
    browser.post(&path, json!({ "uid_field": "akadmin" })).await;
    let cancelled = browser.get("/flows/-/cancel/?next=%2Fif%2Fuser%2F").await;
    assert_eq!(header(&cancelled, "location"), "/if/user/");
    assert_eq!(challenge(&browser.get(&path).await)["component"], "ak-stage-identification");
}
