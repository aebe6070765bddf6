//! Logout.

use http::StatusCode;
use http::header::HeaderValue;

use crate::authentik::model::Stage;
use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::{CORE_COOKIE, SIGN_OUT, cookie_sent, redirect, said, status};

const END_SESSION: &str = "/end-session/";

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "flow_without_user_logout",
        group: Group::Logout,
        story: "the invalidation flow has no user-logout stage: its page says goodbye and the session lives",
        reference: Some("https://github.com/goauthentik/authentik/issues/1113"),
        breaks: "LOGOUT-1",
        diagnosis: "SSO-L02",
        seam: Seam::Database(|state, deployment| {
            let slug = deployment.auth.invalidation_flow.clone();
            let Some(flow) = state.flows.values_mut().find(|flow| flow.slug == slug) else { return false };
            flow.stages.clear();
            true
        }),
    },
    Fault {
        name: "flow_is_gone",
        group: Group::Logout,
        story: "the invalidation flow that the logout link names does not exist",
        reference: None,
        breaks: "LOGOUT-1",
        diagnosis: "SSO-L03",
        seam: Seam::Database(|state, deployment| {
            let slug = deployment.auth.invalidation_flow.clone();
            let Some(flow) = state.flows.values_mut().find(|flow| flow.slug == slug) else { return false };
            flow.slug.push_str("-old");
            true
        }),
    },
    Fault {
        name: "worker_is_behind",
        group: Group::Logout,
        story: "Authentik's worker stands still: outposts do not learn of sessions that end",
        reference: Some("https://github.com/goauthentik/authentik/issues/2023"),
        breaks: "LOGOUT-1",
        diagnosis: "SSO-L04",
        seam: Seam::Database(|state, _| {
            state.worker_stopped = true;
            true
        }),
    },
    Fault {
        name: "provider_flow_logs_out",
        group: Group::Logout,
        story: "the provider invalidation flow ends the core session too, which nobody was told",
        reference: Some("https://github.com/goauthentik/authentik/issues/4083"),
        breaks: "LOGOUT-3",
        diagnosis: "SSO-L05",
        seam: Seam::Database(|state, deployment| {
            let slug = deployment.auth.provider_invalidation_flow.clone();
            let Some(flow) = state.flows.values_mut().find(|flow| flow.slug == slug) else { return false };
            flow.stages.push(Stage::UserLogout);
            true
        }),
    },
    Fault {
        name: "sign_out_breaks",
        group: Group::Logout,
        story: "the outpost panics at sign_out and the gateway answers 502 (2025.12.4)",
        reference: Some("https://github.com/goauthentik/authentik/issues/18130"),
        breaks: "LOGOUT-2",
        diagnosis: "SSO-L06",
        seam: Seam::Version(&["/sign_out", "x-authentik-logout"], |profile| profile.sign_out_answers = false),
    },
    Fault {
        name: "sign_out_keeps_session",
        group: Group::Logout,
        story: "the outpost's sign_out leaves the proxy session alive",
        reference: Some("https://github.com/goauthentik/authentik/issues/4083"),
        breaks: "LOGOUT-2",
        diagnosis: "SSO-L07",
        seam: Seam::requests(Link::Authentik, |request, deployment| {
            request.uri().path().starts_with(SIGN_OUT).then(|| redirect(&deployment.auth.url))
        }),
    },
    Fault {
        name: "sign_out_is_404",
        group: Group::Logout,
        story: "a proxy does not know the outpost's sign_out",
        reference: None,
        breaks: "LOGOUT-2",
        diagnosis: "SSO-L06",
        seam: Seam::requests(Link::Authentik, |request, _| {
            request.uri().path().starts_with(SIGN_OUT).then(|| status(StatusCode::NOT_FOUND))
        }),
    },
    Fault {
        name: "end_session_does_nothing",
        group: Group::Logout,
        story: "end-session answers \"Logout successful\" and logs nobody out",
        reference: Some("https://github.com/goauthentik/authentik/issues/19201"),
        breaks: "LOGOUT-3",
        diagnosis: "SSO-L08",
        seam: Seam::requests(Link::Authentik, |request, _| {
            request.uri().path().ends_with(END_SESSION).then(|| said(StatusCode::OK, "Logout successful"))
        }),
    },
    Fault {
        name: "end_session_is_400",
        group: Group::Logout,
        story: "end-session refuses a post-logout redirect that is not registered (2026.5)",
        reference: Some("https://github.com/goauthentik/authentik/issues/22603"),
        breaks: "LOGOUT-3",
        diagnosis: "SSO-L08",
        seam: Seam::requests(Link::Authentik, |request, _| {
            request.uri().path().ends_with(END_SESSION).then(|| said(StatusCode::BAD_REQUEST, "Bad Request"))
        }),
    },
    Fault {
        name: "logout_page_is_cached",
        group: Group::Logout,
        story: "a cache in front of Authentik answers for the invalidation flow: nobody is logged out",
        reference: None,
        breaks: "LOGOUT-1",
        diagnosis: "SSO-L02",
        seam: Seam::requests(Link::Authentik, |request, deployment| {
            let flow = format!("/{}/", deployment.auth.invalidation_flow);
            let executor = request.uri().path().starts_with("/api/v3/flows/executor/");
            let path = request.uri().path();
            let cached = executor && path.ends_with(&flow) && cookie_sent(request, CORE_COOKIE).is_some();
            cached.then(|| {
                let mut answer = said(StatusCode::OK, r#"{"component":"xak-flow-redirect","to":"/"}"#);
                let json = HeaderValue::from_static("application/json");
                answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
                answer
            })
        }),
    },
];
