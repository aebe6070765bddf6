//! Signing in to Grafana.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::grafana::role::{Outcome, Role, RoleSettings};
use ssoproof_embedded::grafana::{Grafana, Redirection, Settings};
use ssoproof_embedded::logs::Logs;

use crate::browser::{Browser, Told, tls};
use crate::idp::{HOST, Idp, jwt};

const DOCUMENTED: &str = "contains(groups[*], 'spacemusic-admins') && 'Admin' || \
                          contains(groups[*], 'spacemusic-studio') && 'Editor' || 'Viewer'";

/// Grafana with the provider of the tests and the documented role expression.
pub(crate) fn settings(names: &Names) -> Settings {
    let url = |path: &str| format!("http://{HOST}{path}");
    let mut settings = Settings::new(
        "https://dashboard.test",
        url("/authorize/"),
        url("/token/"),
        names.clone(),
        tls(),
        Logs::default(),
    );
    settings.userinfo_url = Some(url("/userinfo/"));
    settings.client_id = "grafana".to_owned();
    settings.client_secret = "se/cret".to_owned();
    settings.login_attribute_path = "preferred_username".to_owned();
    settings.role = RoleSettings { attribute_path: DOCUMENTED.to_owned(), ..RoleSettings::default() };
    settings
}

pub(crate) fn claims(login: &str, groups: Value) -> Value {
    json!({
        "sub": format!("sub-{login}"),
        "preferred_username": login,
        "email": format!("{login}@spacemusic.tv"),
        "name": login.to_uppercase(),
        "groups": groups,
    })
}

/// From the login page's link through the provider back to Grafana.
pub(crate) async fn sign_in(browser: &mut Browser) -> Told {
    let started = browser.get("/login/generic_oauth").await;
    let state = started.location_param("state").unwrap();
    browser.get(&format!("/login/generic_oauth?code=c0de&state={}", state.replace('=', "%3D"))).await
}

/// What the login page says went wrong.
pub(crate) async fn login_error(browser: &mut Browser) -> String {
    let page = browser.get("/login").await.text();
    let told = page.split_once("id=\"login-error\">").and_then(|(_, rest)| rest.split_once("</p>"));
    told.map_or_else(String::new, |(words, _)| words.to_owned())
}

#[tokio::test]
async fn anonymous_browser_is_sent_to_the_provider_with_a_state_bound_to_it() {
    let names = Names::default();
    let grafana = Grafana::start(settings(&names)).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    assert_eq!(browser.get("/").await.line(), "302 /login");
    let page = browser.get("/login").await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains("href=\"/login/generic_oauth\""), "{}", page.text());

    let started = browser.get("/login/generic_oauth").await;
    let state = started.location_param("state").unwrap();
    let query = format!(
        "client_id=grafana&redirect_uri=https%3A%2F%2Fdashboard.test%2Flogin%2Fgeneric_oauth\
         &response_type=code&scope=openid+profile+email&state={}",
        state.replace('=', "%3D")
    );
    assert_eq!(started.line(), format!("302 http://{HOST}/authorize/?{query}"));
    let attributes = "Path=/; Max-Age=600; HttpOnly; SameSite=Lax";
    let hash = &browser.jar["oauth_state"];
    assert_eq!(started.cookies()[0], format!("oauth_state={hash}; {attributes}"));
    assert!(hash.len() == 64 && !hash.contains(&state));
}

#[tokio::test]
async fn groups_become_roles_through_a_whole_login() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let grafana = Grafana::start(settings(&names)).await.unwrap();
    for (login, groups, role) in [
        ("alice", json!(["spacemusic-admins"]), "Admin"),
        ("bob", json!(["spacemusic-studio"]), "Editor"),
        ("carol", json!(["spacemusic-viewers"]), "Viewer"),
        ("mallory", json!([]), "Viewer"),
        ("nested", json!([["spacemusic-admins"]]), "Viewer"),
        ("texted", json!("spacemusic-admins"), "Viewer"),
        ("cased", json!(["Spacemusic-Admins"]), "Viewer"),
    ] {
        idp.show_claims(&claims(login, groups));
        let mut browser = Browser::new(grafana.address());
        assert_eq!(sign_in(&mut browser).await.line(), "302 /");
        assert!(!browser.jar.contains_key("oauth_state"));
        let orgs = browser.get("/api/user/orgs").await.json();
        assert_eq!(orgs, json!([{ "orgId": 1, "name": "Main Org.", "role": role }]), "{login}");
        let user = browser.get("/api/user").await.json();
        assert_eq!((&user["login"], &user["isGrafanaAdmin"]), (&json!(login), &json!(false)));
        assert_eq!(user["email"], format!("{login}@spacemusic.tv"));
        let members = browser.get("/api/org/users").await;
        assert_eq!(members.status(), if role == "Admin" { 200 } else { 403 });
    }
    let mappings = grafana.mappings();
    assert_eq!(mappings.len(), 7);
    assert_eq!(mappings[0].login, "alice");
    assert_eq!(mappings[0].mapping.outcome, Outcome::Mapped(Role::Admin));
    assert_eq!(mappings[0].refused, None);
}

#[tokio::test]
async fn role_follows_the_groups_at_the_next_login() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let grafana = Grafana::start(settings(&names)).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    for (groups, role) in [(json!(["spacemusic-admins"]), "Admin"), (json!([]), "Viewer")] {
        idp.show_claims(&claims("alice", groups));
        sign_in(&mut browser).await;
        assert_eq!(browser.get("/api/user/orgs").await.json()[0]["role"], role);
    }
    assert_eq!(browser.get("/api/user").await.json()["id"], 2);
}

#[tokio::test]
async fn groups_in_userinfo_alone_are_never_seen_grafana_106686() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let logs = Logs::default();
    let grafana = Grafana::start(Settings { logs: logs.clone(), ..settings(&names) }).await.unwrap();
    let mut bare = claims("alice", Value::Null);
    bare.as_object_mut().unwrap().remove("groups");
    idp.show_claims(&bare);
    idp.show_userinfo(200, claims("alice", json!(["spacemusic-admins"])));
    sign_in(&mut Browser::new(grafana.address())).await;
    let role =
        logs.tail("grafana", 10).into_iter().find(|line| line.starts_with("role of \"alice\"")).unwrap();
    assert!(role.starts_with("role of \"alice\": role Viewer; id_token: groups missing, search 1"), "{role}");
    assert!(role.contains("search 2 on {\"groups\":[]} gave \"Viewer\"; userinfo: not asked"), "{role}");
}

#[tokio::test]
async fn access_token_is_the_third_source_where_it_is_a_jwt() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let mut settings = settings(&names);
    settings.role.attribute_path = "contains(groups[*], 'spacemusic-admins') && 'Admin'".to_owned();
    let grafana = Grafana::start(settings.clone()).await.unwrap();
    let access = jwt(&claims("alice", json!(["spacemusic-admins"])));
    let bare = jwt(&json!({ "sub": "sub-alice", "email": "alice@spacemusic.tv" }));
    idp.show_token(200, json!({ "access_token": access, "id_token": bare }));
    let mut browser = Browser::new(grafana.address());
    sign_in(&mut browser).await;
    assert_eq!(browser.get("/api/user/orgs").await.json()[0]["role"], "Admin");
    grafana.reconfigure(Settings { access_token_claims: false, ..settings });
    sign_in(&mut browser).await;
    assert_eq!(browser.get("/api/user/orgs").await.json()[0]["role"], "Viewer");
}

#[tokio::test]
async fn state_missing_foreign_or_used_is_refused_in_grafanas_words() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    idp.show_claims(&claims("alice", json!([])));
    let grafana = Grafana::start(settings(&names)).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    let refused = browser.get("/login/generic_oauth?code=c0de&state=x").await;
    assert_eq!(refused.line(), "302 /login");
    assert!(refused.cookies()[0].ends_with("; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"));
    assert_eq!(login_error(&mut browser).await, "Missing saved oauth state");
    // The page shows it once.
    assert_eq!(login_error(&mut browser).await, "");

    // Two tabs: the second start overwrites the first one's cookie.
    let first = browser.get("/login/generic_oauth").await.location_param("state").unwrap();
    browser.get("/login/generic_oauth").await;
    browser.get(&format!("/login/generic_oauth?code=c0de&state={}", first.replace('=', "%3D"))).await;
    assert_eq!(login_error(&mut browser).await, "Provided state does not match stored state");
    assert!(!browser.jar.contains_key("oauth_state"));
    assert!(idp.seen().is_empty());
    assert_eq!(browser.get("/api/user").await.status(), 401);
}

#[tokio::test]
async fn provider_that_refuses_is_told_on_the_login_page() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let logs = Logs::default();
    let grafana = Grafana::start(Settings { logs: logs.clone(), ..settings(&names) }).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    let denied = "/login/generic_oauth?error=access_denied&error_description=no%0Away";
    assert_eq!(browser.get(denied).await.line(), "302 /login");
    assert_eq!(login_error(&mut browser).await, "Login provider denied login request");
    idp.show_token(400, json!({ "error": "invalid_grant" }));
    assert_eq!(sign_in(&mut browser).await.line(), "302 /login");
    assert_eq!(login_error(&mut browser).await, "Failed to get token from provider");
    let lines = logs.tail("grafana", 10);
    assert_eq!(
        lines,
        [
            "login refused: Login provider denied login request error=\"access_denied\" errorDesc=\"no\\nway\"",
            "login refused: Failed to get token from provider oauth2: \"invalid_grant\"",
        ]
    );
}

#[tokio::test]
async fn client_names_itself_in_the_header_then_in_the_form_and_remembers() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    idp.take_clients_in_the_form_only();
    idp.show_claims(&claims("alice", json!([])));
    let grafana = Grafana::start(Settings { userinfo_url: None, ..settings(&names) }).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    sign_in(&mut browser).await;
    let redirect = "redirect_uri=https%3A%2F%2Fdashboard.test%2Flogin%2Fgeneric_oauth";
    let form = format!(
        "client_id=grafana&client_secret=se%2Fcret&code=c0de&grant_type=authorization_code&{redirect}"
    );
    // `grafana:se%2Fcret`
    let header =
        format!("/token/ Basic Z3JhZmFuYTpzZSUyRmNyZXQ= code=c0de&grant_type=authorization_code&{redirect}");
    assert_eq!(idp.seen(), [header, format!("/token/  {form}")]);
    sign_in(&mut browser).await;
    assert_eq!(idp.seen(), [format!("/token/  {form}")]);
}

#[tokio::test]
async fn verifier_of_pkce_stays_with_the_browser_until_the_exchange() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    idp.show_claims(&claims("alice", json!([])));
    let grafana = Grafana::start(Settings { use_pkce: true, ..settings(&names) }).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    let started = browser.get("/login/generic_oauth").await;
    let verifier = browser.jar["oauth_code_verifier"].clone();
    assert_eq!(started.location_param("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(
        started.location_param("code_challenge"),
        Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)))
    );
    let state = started.location_param("state").unwrap().replace('=', "%3D");
    browser.jar.remove("oauth_code_verifier");
    browser.get(&format!("/login/generic_oauth?code=c0de&state={state}")).await;
    assert_eq!(login_error(&mut browser).await, "Missing required pkce cookie");

    let started = browser.get("/login/generic_oauth").await;
    let state = started.location_param("state").unwrap().replace('=', "%3D");
    let verifier = browser.jar["oauth_code_verifier"].clone();
    assert_eq!(browser.get(&format!("/login/generic_oauth?code=c0de&state={state}")).await.line(), "302 /");
    assert!(idp.seen()[0].contains(&format!("&code_verifier={verifier}&")));
}

#[tokio::test]
async fn strict_mapping_without_a_role_refuses_the_login() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let mut settings = settings(&names);
    settings.role.attribute_path = "contains(groups[*], 'spacemusic-admins') && 'Admin'".to_owned();
    settings.role.strict = true;
    let grafana = Grafana::start(settings).await.unwrap();
    idp.show_claims(&claims("carol", json!(["spacemusic-viewers"])));
    let mut browser = Browser::new(grafana.address());
    assert_eq!(sign_in(&mut browser).await.line(), "302 /login");
    let words = "IdP did not return a role attribute, please contact your administrator";
    assert_eq!(login_error(&mut browser).await, words);
    let refused = grafana.mappings().remove(0);
    assert_eq!((refused.refused.as_deref(), refused.mapping.outcome), (Some(words), Outcome::Refused));
}

#[tokio::test]
async fn other_subject_with_a_known_address_is_refused_grafana_74154() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let settings = settings(&names);
    let grafana = Grafana::start(settings.clone()).await.unwrap();
    let mut alice = claims("alice", json!([]));
    idp.show_claims(&alice);
    let mut browser = Browser::new(grafana.address());
    assert_eq!(sign_in(&mut browser).await.line(), "302 /");
    alice["sub"] = json!("after a change of the subject mode");
    idp.show_claims(&alice);
    assert_eq!(sign_in(&mut browser).await.line(), "302 /login");
    assert_eq!(login_error(&mut browser).await, "User sync failed");
    // Grafana's own administrator is no one else's.
    idp.show_claims(&claims("admin", json!([])));
    sign_in(&mut browser).await;
    assert_eq!(login_error(&mut browser).await, "User sync failed");
    grafana.reconfigure(Settings { email_lookup: true, ..settings });
    idp.show_claims(&alice);
    assert_eq!(sign_in(&mut browser).await.line(), "302 /");
}

#[tokio::test]
async fn people_without_address_group_or_domain_are_refused() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    let base = settings(&names);
    let grafana = Grafana::start(base.clone()).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    idp.show_claims(&json!({ "sub": "u" }));
    sign_in(&mut browser).await;
    assert_eq!(login_error(&mut browser).await, "Internal Server Error");
    assert_eq!(idp.seen().last().unwrap(), "/userinfo//emails Bearer opaque ");

    idp.show_claims(&claims("alice", json!(["spacemusic-studio"])));
    for (settings, words) in [
        (
            Settings { allowed_domains: vec!["sso.test".to_owned()], ..base.clone() },
            "Required email domain not fulfilled",
        ),
        (
            Settings { allowed_groups: vec!["spacemusic-admins".to_owned()], ..base.clone() },
            "user not a member of one of the required groups",
        ),
        (Settings { allow_sign_up: false, ..base.clone() }, "Sign up is disabled"),
    ] {
        grafana.reconfigure(settings);
        sign_in(&mut browser).await;
        assert_eq!(login_error(&mut browser).await, words);
    }
    grafana.reconfigure(Settings {
        allowed_groups: vec!["spacemusic-studio".to_owned()],
        groups_attribute_path: "groups".to_owned(),
        ..base
    });
    assert_eq!(sign_in(&mut browser).await.line(), "302 /");
}

#[tokio::test]
async fn browser_ends_at_the_page_it_first_asked_for() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    idp.show_claims(&claims("alice", json!([])));
    for (redirection, login) in [
        (Redirection::Query, "/login?redirectTo=%2Fd%2Fabc%3Ffrom%3Dnow-6h%26to%3Dnow"),
        (Redirection::Cookie, "/login"),
    ] {
        let grafana = Grafana::start(Settings { redirection, ..settings(&names) }).await.unwrap();
        let mut browser = Browser::new(grafana.address());
        let asked = browser.get("/d/abc?from=now-6h&to=now").await;
        assert_eq!(asked.line(), format!("302 {login}"));
        let page = browser.get(login).await.text();
        let link = page.split_once("href=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let state = browser.get(&link).await.location_param("state").unwrap().replace('=', "%3D");
        let ended = browser.get(&format!("/login/generic_oauth?code=c0de&state={state}")).await;
        assert_eq!(ended.line(), "302 /d/abc?from=now-6h&to=now", "{redirection:?}");
        assert!(browser.get(ended.location()).await.text().contains("<span id=\"login\">alice</span>"));
        assert!(!browser.jar.contains_key("redirectTo") && !browser.jar.contains_key("redirect_to"));
    }
}

#[tokio::test]
async fn nobody_is_sent_to_another_site_after_login() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    idp.show_claims(&claims("alice", json!([])));
    let grafana = Grafana::start(settings(&names)).await.unwrap();
    // Of the last one the cookie loses the backslash, as with Go's `net/http`: a path of this Grafana is left.
    for (wanted, location) in [
        ("//evil.test/", "/"),
        ("https://evil.test/", "/"),
        ("%2F%2Fevil.test", "/"),
        ("/..%2F..%2Fx", "/"),
        ("/%5Cevil.test", "/evil.test"),
    ] {
        let mut browser = Browser::new(grafana.address());
        let started = browser.get(&format!("/login/generic_oauth?redirectTo={wanted}")).await;
        let state = started.location_param("state").unwrap().replace('=', "%3D");
        let ended = browser.get(&format!("/login/generic_oauth?code=c0de&state={state}")).await;
        assert_eq!(ended.line(), format!("302 {location}"), "{wanted}");
    }
}

#[tokio::test]
async fn auto_login_passes_the_login_page_unless_there_is_an_error() {
    let names = Names::default();
    let grafana = Grafana::start(Settings { auto_login: true, ..settings(&names) }).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    let passed = browser.get("/login?redirectTo=%2Fd%2Fabc").await;
    assert_eq!(passed.line(), "307 /login/generic_oauth?redirectTo=%2Fd%2Fabc");
    assert_eq!(browser.get("/login?disableAutoLogin").await.status(), 200);
    browser.get("/login/generic_oauth?error=access_denied").await;
    // Without this the browser would go round for ever.
    assert_eq!(browser.get("/login").await.status(), 200);
    assert_eq!(browser.get("/login").await.status(), 307);
}

#[tokio::test]
async fn api_answers_anonymous_requests_with_json() {
    let names = Names::default();
    let grafana = Grafana::start(settings(&names)).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    browser.jar.insert("grafana_session".to_owned(), "forged".to_owned());
    for path in ["/api/user", "/api/org/users", "/api/nothing", "/api/login/ping"] {
        let told = browser.get(path).await;
        assert_eq!(told.status(), 401);
        let body = told.json();
        assert_eq!(
            (&body["message"], &body["messageId"]),
            (&json!("Unauthorized"), &json!("auth.unauthorized"))
        );
    }
    assert_eq!(browser.get("/api/health").await.json()["database"], "ok");
    assert_eq!(browser.send("POST", "/login", &[]).await.status(), 401);
    assert_eq!(browser.send("HEAD", "/", &[]).await.line(), "302 /login");
    assert_eq!(browser.send("POST", "/", &[]).await.status(), 404);
}

#[tokio::test]
async fn sub_path_of_the_root_url_leads_every_path() {
    let names = Names::default();
    let idp = Idp::start(&names).await;
    idp.show_claims(&claims("alice", json!([])));
    let settings = Settings { root_url: "https://dashboard.test/grafana/".to_owned(), ..settings(&names) };
    let grafana = Grafana::start(settings).await.unwrap();
    let mut browser = Browser::new(grafana.address());
    assert_eq!(browser.get("/grafana/d/abc").await.line(), "302 /grafana/login?redirectTo=%2Fd%2Fabc");
    let started = browser.get("/grafana/login/generic_oauth?redirectTo=%2Fd%2Fabc").await;
    assert_eq!(
        started.location_param("redirect_uri").as_deref(),
        Some("https://dashboard.test/grafana/login/generic_oauth")
    );
    assert!(started.cookies().iter().all(|cookie| cookie.contains("; Path=/grafana;")));
    let state = started.location_param("state").unwrap().replace('=', "%3D");
    let ended = browser.get(&format!("/grafana/login/generic_oauth?code=c0de&state={state}")).await;
    assert_eq!(ended.line(), "302 /grafana/d/abc");
    assert_eq!(browser.get("/grafana/api/user").await.status(), 200);
}
