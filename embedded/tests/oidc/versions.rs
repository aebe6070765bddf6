//! What other versions do differently, and what no recording shows.

use serde_json::{Value, json};
use ssoproof_embedded::authentik::Profile;

use crate::client::{header, set_cookies};
use crate::gateway::{self, Asked};
use crate::world::World;

fn get(url: &str, cookie: &str) -> Asked {
    let headers = if cookie.is_empty() { Vec::new() } else { vec![("cookie".to_owned(), cookie.to_owned())] };
    Asked { method: "GET".to_owned(), url: url.to_owned(), headers, body: String::new() }
}

#[tokio::test]
async fn sign_out_of_2025_12_breaks_the_connection_and_nothing_ends() {
    // goauthentik/authentik#17922; 2025.12.4/30-signout-full-chain.
    let mut world = World::new(Profile::V2025_12).await;
    let cookie = world.signed_in_at_stream().await;
    let mut asked = get("http://127.0.0.1/outpost.goauthentik.io/sign_out", &cookie);
    asked.headers.push(("host".to_owned(), "stream.spacemusic.tv".to_owned()));
    let broken = gateway::try_direct(&mut world.browser, &asked).await;
    assert!(broken.is_err(), "{broken:?}");
    let revisit = gateway::through(&mut world.browser, &get("https://stream.spacemusic.tv/", &cookie)).await;
    assert_eq!(revisit.identity.unwrap()["x-authentik-username"], b"alice");
}

#[tokio::test]
async fn authorize_of_2025_8_goes_over_the_default_flow() {
    // 2025.8.6/10-unauth-chain-stream.
    let mut world = World::new(Profile::V2025_8).await;
    let service = gateway::through(&mut world.browser, &get("https://stream.spacemusic.tv/", "")).await;
    let authorize = header(&service.response, "location").to_owned();
    let login = gateway::through(&mut world.browser, &get(&authorize, "")).await.response;
    let to = header(&login, "location");
    assert!(
        to.starts_with("/flows/-/default/authentication/?next=/application/o/authorize/%3Fclient_id%3D"),
        "{to}"
    );
    assert!(set_cookies(&login)[0].starts_with("authentik_session="));
    let page =
        gateway::through(&mut world.browser, &get(&format!("https://auth.spacemusic.tv{to}"), "")).await;
    let to = header(&page.response, "location");
    assert!(
        to.starts_with("/if/flow/default-authentication-flow/?next=%2Fapplication%2Fo%2Fauthorize%2F%3F"),
        "{to}"
    );
}

#[tokio::test]
async fn a_lost_proxy_session_keeps_its_id_and_only_2025_8_sets_the_cookie_again() {
    // 30-signout-full-chain, hop 27, in both versions.
    for (profile, repeated) in [(Profile::V2026_2, 0), (Profile::V2025_8, 1)] {
        let mut world = World::new(profile).await;
        let first = gateway::through(&mut world.browser, &get("https://stream.spacemusic.tv/", "")).await;
        let cookie = set_cookies(&first.response)[0].split(';').next().unwrap().to_owned();
        let again =
            gateway::through(&mut world.browser, &get("https://stream.spacemusic.tv/", &cookie)).await;
        let set = set_cookies(&again.response);
        assert_eq!(set.len(), repeated);
        assert!(set.iter().all(|line| line.starts_with(&cookie)), "{set:?}");
    }
}

#[tokio::test]
async fn a_state_of_another_browser_is_refused() {
    let mut world = World::new(Profile::V2026_2).await;
    let first =
        gateway::through(&mut world.browser, &get("https://stream.spacemusic.tv/", "")).await.response;
    let authorize = header(&first, "location");
    let query = authorize.split_once('?').unwrap().1;
    let state = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state").unwrap().1;
    let name = set_cookies(&first)[0].split('=').next().unwrap().to_owned();
    let url = format!("https://stream.spacemusic.tv/outpost.goauthentik.io/callback?code=x&state={state}");
    let stolen = gateway::through(&mut world.browser, &get(&url, &format!("{name}=OTHER"))).await.response;
    assert_eq!((stolen.status().as_u16(), stolen.body().len()), (400, 0));
}

#[tokio::test]
async fn hostile_bytes_get_an_answer() {
    let mut world = World::new(Profile::V2026_2).await;
    let long = "a".repeat(20_000);
    for path in [
        "/application/o/authorize/?%ff=%fe&client_id=%00".to_owned(),
        "/application/o/grafana/end-session/?%".to_owned(),
        "/application/o/%ff/jwks/".to_owned(),
        format!("/outpost.goauthentik.io/callback?state={long}"),
        "/outpost.goauthentik.io/start?rd=%ff%00//".to_owned(),
        "/outpost.goauthentik.io/%ff".to_owned(),
    ] {
        let mut asked = get(&format!("http://127.0.0.1{path}"), "authentik_session=;a=\"");
        asked.headers.push(("host".to_owned(), "stream.spacemusic.tv".to_owned()));
        let response = gateway::direct(&mut world.browser, &asked).await;
        assert!(response.status().as_u16() < 500, "{path}: {}", response.status());
    }
    for body in
        ["", "%", "grant_type=authorization_code&code=%ff", "client_id=grafana-client-id&grant_type=password"]
    {
        let mut asked = get("http://127.0.0.1/application/o/token/", "");
        "POST".clone_into(&mut asked.method);
        body.clone_into(&mut asked.body);
        let response = gateway::direct(&mut world.browser, &asked).await;
        assert_eq!(response.status(), 400, "{body}");
    }
}

#[tokio::test]
async fn a_pending_plan_makes_end_session_end_nothing_except_in_2025_8() {
    // 49-end-session-pending-plan: the plan of a first end-session is still pending.
    for (profile, status) in [(Profile::V2026_2, 200), (Profile::V2025_8, 302)] {
        let mut world = World::new(profile).await;
        world.browser.log_in("alice", "alice-Passw0rd!").await;
        let path = "/application/o/grafana/end-session/";
        let first = world.browser.get(path).await;
        assert_eq!(header(&first, "location"), "/if/flow/default-provider-invalidation-flow/");
        let second = world.browser.get(path).await;
        assert_eq!(second.status(), status);
        assert_eq!(
            &second.body()[..],
            if status == 200 { &b"<html><body>Logout successful</body></html>"[..] } else { b"" }
        );
        assert_eq!(world.browser.me().await, 200);
    }
}

#[tokio::test]
async fn a_client_may_ask_for_itself_where_everyone_is_let_in() {
    let mut world = World::new(Profile::V2026_2).await;
    let mut ask = async |client: &str| {
        let mut asked = get("http://127.0.0.1/application/o/token/", "");
        "POST".clone_into(&mut asked.method);
        asked.body = format!(
            "grant_type=client_credentials&scope=openid+profile&client_id={client}-client-id&client_secret={client}-client-secret-0123456789abcdef"
        );
        let response = gateway::direct(&mut world.browser, &asked).await;
        (response.status().as_u16(), serde_json::from_slice::<Value>(response.body()).unwrap())
    };
    assert_eq!(ask("grafana").await.1["error"], "invalid_grant");
    let (status, body) = ask("nokey").await;
    assert_eq!(
        (status, &body["scope"], &body["refresh_token"]),
        (200, &json!("openid profile"), &Value::Null)
    );
}

#[tokio::test]
async fn a_domain_provider_serves_every_host_of_its_domain_with_one_cookie() {
    let mut world = World::new(Profile::V2026_2).await;
    let flow = |slug: &str| format!("/api/v3/flows/instances/?slug={slug}");
    let pk = |flows: Value| flows["results"][0]["pk"].clone();
    let authorization = flow("default-provider-authorization-implicit-consent");
    let invalidation = flow("default-provider-invalidation-flow");
    let provider = json!({
        "name": "domain", "mode": "forward_domain", "external_host": "https://sso.example.org",
        "cookie_domain": "example.org", "skip_path_regex": "/open/",
        "authorization_flow": pk(world.browser.admin("GET", &authorization, Value::Null, 200).await),
        "invalidation_flow": pk(world.browser.admin("GET", &invalidation, Value::Null, 200).await),
    });
    let made = world.browser.admin("POST", "/api/v3/providers/proxy/", provider, 201).await;
    let application = json!({ "name": "domain", "slug": "domain", "provider": made["pk"] });
    world.browser.admin("POST", "/api/v3/core/applications/", application, 201).await;
    let outposts = world.browser.admin("GET", "/api/v3/outposts/instances/", Value::Null, 200).await;
    let path = format!("/api/v3/outposts/instances/{}/", outposts["results"][0]["pk"].as_str().unwrap());
    world.browser.admin("PATCH", &path, json!({ "providers": [1, made["pk"]] }), 200).await;

    let seen = gateway::through(&mut world.browser, &get("https://a.example.org/x", "")).await.response;
    assert!(header(&seen, "location").contains("redirect_uri=https%3A%2F%2Fsso.example.org%2Foutpost"));
    assert!(set_cookies(&seen)[0].contains("; Domain=example.org; "), "{:?}", set_cookies(&seen));
    let open = gateway::through(&mut world.browser, &get("https://a.example.org/open/x", "")).await;
    assert_eq!(open.identity.unwrap().len(), 0);
    let other = gateway::through(&mut world.browser, &get("https://a.example.com/x", "")).await.response;
    assert_eq!(other.status(), 404);
}
