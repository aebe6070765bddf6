//! The login flow (`20-login-alice`, `21-login-failures`, `22-login-inactive`).

use serde_json::{Value, json};
use ssoproof_embedded::authentik::{Authentik, Profile, Settings};
use ssoproof_embedded::logs::Logs;

use crate::client::{Browser, challenge, executor, fresh, header, set_cookies};

const FLOW: &str = "default-authentication-flow";

#[tokio::test]
async fn a_login_takes_the_recorded_steps_and_sets_the_recorded_cookies() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = Browser::new(&authentik);
    browser.make_user("alice").await;
    assert_eq!(browser.get(&format!("/if/flow/{FLOW}/?next=%2F")).await.status(), 200);
    assert!(browser.cookies.is_empty());

    let path = executor(FLOW, "next=%2Fapplication%2Fo%2Fauthorize%2F%3Fscope%3Da%2Bb");
    let first = browser.get(&path).await;
    assert_eq!(
        challenge(&first),
        json!({
            "flow_info": {
                "title": "Welcome to authentik!",
                "background": "/static/dist/assets/images/flow_background.jpg",
                "background_themed_urls": null,
                "cancel_url": "/flows/-/cancel/?next=%2Fapplication%2Fo%2Fauthorize%2F%3Fscope%3Da%2Bb",
                "layout": "stacked",
            },
            "component": "ak-stage-identification",
            "user_fields": ["email", "username"],
            "pending_user_identifier": null,
            "password_fields": false,
            "allow_show_password": false,
            "flow_designation": "authentication",
            "captcha_stage": null,
            "primary_action": "Log in",
            "sources": [],
            "show_source_labels": false,
            "enable_remember_me": false,
            "passkey_challenge": null,
        })
    );
    assert_eq!(header(&first, "x-frame-options"), "SAMEORIGIN");
    let anonymous = browser.cookies["authentik_session"].clone();
    assert!(set_cookies(&first)[0].ends_with("; HttpOnly; SameSite=None; Secure; Path=/"), "{first:?}");

    let answer = json!({ "component": "ak-stage-identification", "uid_field": "alice" });
    let second = browser.post(&path, answer).await;
    assert_eq!((second.status().as_u16(), header(&second, "location")), (302, path.as_str()));
    let third = challenge(&browser.get(&path).await);
    assert_eq!((&third["component"], &third["pending_user"]), (&json!("ak-stage-password"), &json!("alice")));

    let answer = json!({ "component": "ak-stage-password", "password": "alice-Passw0rd!" });
    let fourth = browser.post(&path, answer).await;
    assert_eq!((fourth.status().as_u16(), header(&fourth, "location")), (302, path.as_str()));
    assert_eq!(browser.get(&path).await.status(), 302);
    assert_eq!(browser.me().await, 403);
    let last = browser.get(&path).await;
    assert_eq!(
        challenge(&last),
        json!({ "component": "xak-flow-redirect", "to": "/application/o/authorize/?scope=a+b" })
    );
    let cookies = set_cookies(&last);
    assert!(cookies[0].starts_with("authentik_device=eyJ"));
    assert!(cookies[0].ends_with("; Max-Age=2592000; Path=/; SameSite=Lax"), "{cookies:?}");
    assert!(cookies[1].starts_with("authentik_csrf="));
    assert!(cookies[1].ends_with("; Max-Age=31449600; Path=/; SameSite=Lax; Secure"), "{cookies:?}");
    assert_eq!(cookies.len(), 3);
    assert_ne!(browser.cookies["authentik_session"], anonymous);
    assert_eq!(browser.me().await, 200);
    assert_eq!(header(&browser.get("/").await, "location"), "/if/user/");
}

#[tokio::test]
async fn wrong_password_unknown_user_and_inactive_user_are_refused_alike() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut admin = Browser::new(&authentik);
    admin.make_user("alice").await;
    let inactive = admin.make_user("inactive").await;
    let path = format!("/api/v3/core/users/{inactive}/");
    admin.admin("PATCH", &path, json!({ "is_active": false }), 200).await;
    for (username, password) in [("alice", "wrong"), ("nobody", "x"), ("inactive", "inactive-Passw0rd!")] {
        let mut browser = Browser::new(&authentik);
        let mut refused = browser.log_in(username, password).await;
        assert_eq!(refused["pending_user"].take(), username);
        refused["pending_user_avatar"].take();
        assert_eq!(
            refused,
            json!({
                "flow_info": {
                    "title": "Welcome to authentik!",
                    "background": "/static/dist/assets/images/flow_background.jpg",
                    "background_themed_urls": null,
                    "cancel_url": "/flows/-/cancel/?next=%2Fif%2Fuser%2F",
                    "layout": "stacked",
                },
                "component": "ak-stage-password",
                "response_errors": { "password": [{ "string": "Invalid password", "code": "invalid" }] },
                "pending_user": null,
                "pending_user_avatar": null,
                "allow_show_password": false,
            }),
            "{username}"
        );
        assert_eq!(browser.me().await, 403);
    }
}

#[tokio::test]
async fn upper_case_names_and_mail_addresses_log_in() {
    let authentik = fresh(Profile::V2026_2).await;
    Browser::new(&authentik).make_user("alice").await;
    for typed in ["ALICE", "alice@spacemusic.tv", "Alice@SpaceMusic.TV"] {
        let mut browser = Browser::new(&authentik);
        assert_eq!(
            browser.log_in(typed, "alice-Passw0rd!").await,
            json!({ "component": "xak-flow-redirect", "to": "/if/user/" })
        );
        assert_eq!(browser.me().await, 200);
    }
}

#[tokio::test]
async fn answers_that_do_not_fit_the_stage_are_complained_about() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = Browser::new(&authentik);
    let path = executor(FLOW, "");
    challenge(&browser.get(&path).await);
    for answer in [json!({ "uid_field": "" }), json!({ "component": "ak-stage-password", "password": "x" })] {
        let told = challenge(&browser.post(&path, answer).await);
        assert_eq!(
            told["response_errors"],
            json!({ "non_field_errors": [{ "string": "No identification data provided.", "code": "invalid" }] })
        );
    }
    assert_eq!(browser.post(&path, json!({ "uid_field": "alice" })).await.status(), 302);
    let told = challenge(&browser.post(&path, json!({})).await);
    assert_eq!(
        told["response_errors"],
        json!({ "password": [{ "string": "This field is required.", "code": "required" }] })
    );
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let told = browser.send("POST", &path, &form, "uid_field=alice&component=ak-stage-identification").await;
    assert_eq!(challenge(&told)["component"], "ak-stage-flow-error");
    assert_eq!(browser.get(&executor("nosuch", "")).await.status(), 404);
}

#[tokio::test]
async fn guessing_ends_the_flow() {
    let authentik = fresh(Profile::V2026_2).await;
    let mut browser = Browser::new(&authentik);
    browser.make_user("alice").await;
    let path = executor(FLOW, "");
    browser.post(&path, json!({ "uid_field": "alice" })).await;
    let mut last = Value::Null;
    for _ in 0..5 {
        last = challenge(&browser.post(&path, json!({ "password": "guess" })).await);
    }
    assert_eq!(last["component"], "ak-stage-access-denied");
    assert_eq!(challenge(&browser.get(&path).await)["component"], "ak-stage-identification");
}

#[tokio::test]
async fn a_login_leads_to_no_other_host() {
    let authentik = fresh(Profile::V2026_2).await;
    for next in ["https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let mut browser = Browser::new(&authentik);
        let path = executor(FLOW, &format!("next={next}"));
        browser.get(&path).await;
        browser.post(&path, json!({ "uid_field": "akadmin" })).await;
        browser.post(&path, json!({ "password": "akadmin-Passw0rd!" })).await;
        browser.get(&path).await;
        assert_eq!(challenge(&browser.get(&path).await)["to"], "/", "{next}");
    }
}

#[tokio::test]
async fn older_identification_stages_lack_what_came_later() {
    for (profile, missing) in [
        (Profile::V2025_12, vec!["pending_user_identifier"]),
        (Profile::V2025_8, vec!["passkey_challenge", "pending_user_identifier"]),
    ] {
        let authentik = fresh(profile).await;
        let mut browser = Browser::new(&authentik);
        let shown = challenge(&browser.get(&executor(FLOW, "")).await);
        for member in missing {
            assert_eq!(shown.get(member), None, "{member}");
        }
        assert_eq!(shown["component"], "ak-stage-identification");
    }
}

#[tokio::test]
async fn no_bootstrap_password_and_token_let_nobody_in() {
    let settings = Settings {
        bootstrap_token: String::new(),
        bootstrap_password: String::new(),
        state: None,
        store: None,
        secret_key: Vec::new(),
        profile: Profile::V2026_2,
        logs: Logs::default(),
    };
    let authentik = Authentik::start(settings).await.unwrap();
    let mut browser = Browser::new(&authentik);
    for header in ["Bearer ", "Bearer"] {
        let headers = [("authorization", header)];
        let answer = browser.send("GET", "/api/v3/core/users/", &headers, "").await;
        assert_eq!(answer.status(), 403, "{header:?}");
    }
    assert_eq!(browser.log_in("akadmin", "").await["component"], "ak-stage-password");
    assert_eq!(browser.me().await, 403);
}
