//! The REST API: what other versions show, and what changes for those signed in.

use serde_json::{Value, json};
use ssoproof_embedded::authentik::Profile;

use crate::client::{Browser, fresh, header, start};

#[tokio::test]
async fn older_versions_show_their_own_members() {
    // DIFF.txt: 01-config-api.json [2025.8.6].
    let authentik = fresh(Profile::V2025_8).await;
    let mut admin = Browser::new(&authentik);
    let group = admin.admin("POST", "/api/v3/core/groups/", json!({ "name": "g" }), 201).await;
    assert_eq!((group["parent"].is_null(), group.get("parents")), (true, None));
    let body = json!({ "common_name": "k", "validity_days": 1 });
    let pair = admin.admin("POST", "/api/v3/crypto/certificatekeypairs/generate/", body, 200).await;
    assert_eq!(pair["private_key_type"], "rsa");
    let mappings = "/api/v3/propertymappings/provider/scope/";
    let email = admin.admin("GET", &format!("{mappings}?scope_name=email"), Value::Null, 200).await;
    assert_eq!(
        email["results"][0]["expression"],
        "return {\n    \"email\": request.user.email,\n    \"email_verified\": True\n}"
    );
    let profile = admin.admin("GET", &format!("{mappings}?scope_name=profile"), Value::Null, 200).await;
    assert!(
        profile["results"][0]["expression"].as_str().unwrap().contains("in request.user.ak_groups.all()]")
    );
}

#[tokio::test]
async fn members_come_and_go_through_the_group() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut admin = Browser::new(&authentik);
    let user = admin.make_user("bob").await;
    let group = admin.admin("POST", "/api/v3/core/groups/", json!({ "name": "studio" }), 201).await;
    let path = format!("/api/v3/core/groups/{}/", group["pk"].as_str().unwrap());
    admin.admin("POST", &format!("{path}add_user/"), json!({ "pk": user }), 204).await;
    assert_eq!(admin.admin("GET", &path, Value::Null, 200).await["users"], json!([user]));
    let shown = admin.admin("GET", &format!("/api/v3/core/users/{user}/"), Value::Null, 200).await;
    assert_eq!(shown["groups_obj"][0]["name"], "studio");
    admin.admin("POST", &format!("{path}remove_user/"), json!({ "pk": user }), 204).await;
    assert_eq!(admin.admin("GET", &path, Value::Null, 200).await["users"], json!([]));
    admin.admin("DELETE", &path, Value::Null, 204).await;
    admin.admin("GET", &path, Value::Null, 404).await;
}

#[tokio::test]
async fn lists_come_in_pages() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut admin = Browser::new(&authentik);
    let path = "/api/v3/propertymappings/provider/scope/?page_size=3&page=3";
    let page = admin.admin("GET", path, Value::Null, 200).await;
    let expected = json!({
        "next": 0, "previous": 2, "count": 7, "current": 3, "total_pages": 3, "start_index": 7, "end_index": 7,
    });
    assert_eq!(page["pagination"], expected);
    assert_eq!(page["results"][0]["scope_name"], "profile");
}

#[tokio::test]
async fn an_app_password_is_made_and_shown() {
    // 54-header-auth-at-outpost, hops 0 and 1; an app password opens no API.
    let authentik = fresh(Profile::V2026_2).await;
    let mut admin = Browser::new(&authentik);
    let user = admin.make_user("alice").await;
    let body =
        json!({ "identifier": "alice-app", "intent": "app_password", "user": user, "expiring": false });
    assert_eq!(admin.admin("POST", "/api/v3/core/tokens/", body, 201).await["intent"], "app_password");
    let key = admin.admin("GET", "/api/v3/core/tokens/alice-app/view_key/", Value::Null, 200).await;
    let key = key["key"].as_str().unwrap();
    assert_eq!(key.len(), 60);
    let bearer = format!("Bearer {key}");
    let refused = admin.send("GET", "/api/v3/core/users/me/", &[("authorization", &bearer)], "").await;
    assert_eq!(refused.status(), 403);
}

#[tokio::test]
async fn a_session_of_a_superuser_opens_the_api_and_one_of_a_user_does_not() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = Browser::new(&authentik);
    browser.log_in("akadmin", "akadmin-Passw0rd!").await;
    let users = browser.get("/api/v3/core/users/").await;
    assert_eq!((users.status().as_u16(), header(&users, "set-cookie").is_empty()), (200, false));

    let forged = browser.send("POST", "/api/v3/core/groups/", &[], r#"{"name":"forged"}"#).await;
    assert_eq!(forged.status(), 403);
    assert_eq!(forged.body(), r#"{"detail":"CSRF Failed: CSRF token missing."}"#);
    assert_eq!(browser.post("/api/v3/core/groups/", json!({ "name": "meant" })).await.status(), 201);

    browser.make_user("mallory").await;
    let mut user = Browser::new(&authentik);
    user.log_in("mallory", "mallory-Passw0rd!").await;
    assert_eq!(user.get("/api/v3/core/users/").await.status(), 403);
}

#[tokio::test]
async fn a_copy_of_the_state_keeps_sessions_and_shares_nothing() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = Browser::new(&authentik);
    browser.log_in("akadmin", "akadmin-Passw0rd!").await;
    let copy = start(Profile::V2026_2, Some(&authentik)).await;
    let mut there = Browser::new(&copy);
    there.cookies = browser.cookies.clone();
    assert_eq!(there.me().await, 200);
    there.make_user("only-there").await;
    let here = browser.admin("GET", "/api/v3/core/users/?username=only-there", Value::Null, 200).await;
    assert_eq!(here["pagination"]["count"], 0);
}

#[tokio::test]
async fn a_long_body_is_refused() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = Browser::new(&authentik);
    let body = format!("\"{}\"", "x".repeat(2 << 20));
    let refused = browser.send("POST", "/api/v3/core/groups/", &[], &body).await;
    assert_eq!(refused.status(), 413);
}
