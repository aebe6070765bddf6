//! Flows that other parts begin (`10-unauth-chain-*`, `45-end-session-0`, `47-end-session-user-logout-flow`).

use axum::body::Body;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::bootstrap;
use super::super::model::{Application, Pending, Plan};
use super::super::profile::Profile;
use super::super::session;
use super::super::shared::{Settings, Shared};
use super::{Start, begin, executor, sign_in};
use crate::logs::Logs;

const OWN_QUERY: &str = "query=";

/// A fresh Authentik with the application `grafana`.
fn shared(profile: Profile) -> Shared {
    let settings = Settings {
        bootstrap_token: String::new(),
        bootstrap_password: "akadmin-Passw0rd!".to_owned(),
        state: None,
        store: None,
        secret_key: Vec::new(),
        profile,
        logs: Logs::default(),
    };
    let mut state = bootstrap::fresh(&settings);
    let application = Application {
        pk: Uuid::new_v4(),
        slug: "grafana".to_owned(),
        name: "grafana".to_owned(),
        provider: None,
        meta_launch_url: "https://dashboard.spacemusic.tv".to_owned(),
        policy_engine_mode: "any".to_owned(),
    };
    state.applications.insert(application.pk, application);
    Shared::new(state, settings.profile, settings.logs, "127.0.0.1:9000".to_owned())
}

fn flow(shared: &Shared, slug: &str) -> Uuid {
    shared.state().flow(slug).expect("default flow").pk
}

/// The request headers of a browser with the session that a response set.
fn cookie(response: &Response<Body>) -> HeaderMap {
    let set = response.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok()).expect("a cookie");
    let pair = set.split(';').next().unwrap_or_default();
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(pair).expect("cookie"))])
}

/// A browser in which `akadmin` is signed in.
fn signed_in(shared: &Shared) -> HeaderMap {
    let key = session::open(shared, &HeaderMap::new());
    let mut state = shared.state_mut();
    let mut plan = Plan::new(&state.flows.values().next().expect("flow").clone(), &Start::default());
    plan.pending = Some(Pending { typed: "akadmin".into(), user: Some(4), verified: true });
    let key = sign_in::sign_in(&mut state, &key, &plan).expect("signed in");
    drop(state);
    let mut response = Response::new(Body::empty());
    let value = session::set_cookie(shared, &key).expect("cookie");
    response.headers_mut().append(SET_COOKIE, value);
    cookie(&response)
}

async fn body(response: Response<Body>) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    let bytes = response.into_body().collect().await.expect("body").to_bytes();
    serde_json::from_slice(&bytes).expect("JSON")
}

fn end_session() -> Start {
    Start { application: Some("grafana".to_owned()), session_end: true, ..Start::default() }
}

#[tokio::test]
async fn an_application_names_itself_on_the_login_page() {
    let shared = shared(Profile::V2026_2);
    let start = Start {
        application: Some("grafana".to_owned()),
        next: "/application/o/authorize/?client_id=g".to_owned(),
        query: "client_id=g&next=%2Fapplication%2Fo%2Fauthorize%2F%3Fclient_id%3Dg".to_owned(),
        ..Start::default()
    };
    let begun = begin(&shared, &HeaderMap::new(), flow(&shared, "default-authentication-flow"), start);
    assert_eq!(begun.status(), StatusCode::FOUND);
    assert_eq!(
        begun.headers()[LOCATION],
        "/if/flow/default-authentication-flow/?client_id=g&next=%2Fapplication%2Fo%2Fauthorize%2F%3Fclient_id%3Dg"
    );
    let headers = cookie(&begun);
    let shown = body(executor::run(&shared, "default-authentication-flow", OWN_QUERY, &headers, None)).await;
    assert_eq!(shown["application_pre"], "grafana");
    assert_eq!(shown["application_pre_launch"], "https://dashboard.spacemusic.tv");
    assert_eq!(
        shown["flow_info"]["cancel_url"],
        "/flows/-/cancel/?next=%2Fapplication%2Fo%2Fauthorize%2F%3Fclient_id%3Dg"
    );
}

#[tokio::test]
async fn the_session_end_page_leaves_the_session_alone() {
    let shared = shared(Profile::V2026_2);
    let headers = signed_in(&shared);
    let slug = "default-provider-invalidation-flow";
    let begun = begin(&shared, &headers, flow(&shared, slug), end_session());
    assert_eq!(begun.headers()[LOCATION], "/if/flow/default-provider-invalidation-flow/");
    let mut shown = body(executor::run(&shared, slug, OWN_QUERY, &headers, None)).await;
    assert!(
        shown["pending_user_avatar"].take().as_str().is_some_and(|url| url.starts_with("data:image/svg+xml"))
    );
    assert_eq!(
        shown,
        json!({
            "flow_info": {
                "title": "You've logged out of grafana.",
                "background": "/static/dist/assets/images/flow_background.jpg",
                "background_themed_urls": null,
                "cancel_url": "/flows/-/cancel/",
                "layout": "stacked",
            },
            "component": "ak-stage-session-end",
            "pending_user": "akadmin",
            "pending_user_avatar": null,
            "application_name": "grafana",
            "application_launch_url": "https://dashboard.spacemusic.tv",
            "invalidation_flow_url": "/if/flow/default-invalidation-flow/",
            "brand_name": "authentik",
        })
    );
    let session = session::current(&shared, &headers).expect("session").1;
    assert_eq!((session.user, session.plan.is_some()), (Some(4), true));
}

#[tokio::test]
async fn an_invalidation_flow_with_a_logout_stage_ends_the_session_before_its_last_page() {
    for (profile, component) in
        [(Profile::V2026_2, "xak-flow-redirect"), (Profile::V2025_8, "ak-stage-session-end")]
    {
        let shared = shared(profile);
        let headers = signed_in(&shared);
        let slug = "default-invalidation-flow";
        begin(&shared, &headers, flow(&shared, slug), end_session());
        let left = executor::run(&shared, slug, OWN_QUERY, &headers, None);
        assert_eq!(left.status(), StatusCode::FOUND);
        assert_eq!(left.headers()[LOCATION], "/api/v3/flows/executor/default-invalidation-flow/?query=");
        assert!(session::current(&shared, &headers).is_none());
        let headers = cookie(&left);
        let shown = body(executor::run(&shared, slug, OWN_QUERY, &headers, None)).await;
        assert_eq!(shown["component"], component);
        assert_eq!(shown["flow_info"]["title"], "Default Invalidation Flow");
    }
}
