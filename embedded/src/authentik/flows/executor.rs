//! The flow executor: one GET shows the current stage, one POST answers it (`20-login-*`, `21-login-failures`,
//! `36-invalidation-*`, `45-end-session-*`, `47-end-session-user-logout-flow`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State as Extract};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, SET_COOKIE, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::super::model::{Flow, Plan};
use super::super::session;
use super::super::shared::Shared;
use super::super::state::State;
use super::plan::Start;
use super::stage::Outcome;
use super::{answer, challenge, csrf, navigation, sign_in, stage};

/// Shows the current stage.
pub(super) async fn get(
    Extract(shared): Extract<Arc<Shared>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    run(&shared, &slug, &query.unwrap_or_default(), &headers, None)
}

/// Answers the current stage.
pub(super) async fn post(
    Extract(shared): Extract<Arc<Shared>>,
    Path(slug): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    run(&shared, &slug, &query.unwrap_or_default(), &headers, Some(&body))
}

/// Answers one request to the executor of the flow `slug`.
pub(super) fn run(
    shared: &Shared,
    slug: &str,
    query: &str,
    headers: &HeaderMap,
    body: Option<&Bytes>,
) -> Response<Body> {
    let Some(flow) = shared.state().flow(slug).cloned() else { return answer::not_found() };
    let current = session::current(shared, headers);
    let sent = match body {
        None => None,
        Some(body) => {
            let forgery = current.as_ref().and_then(|(_, session)| csrf::forged(session, headers));
            if let Some(reason) = forgery {
                return framed(answer::json(StatusCode::FORBIDDEN, &json!({ "detail": reason })));
            }
            // A form makes the real stage raise (`21-login-failures`, hop 59).
            if !is_json(headers) {
                let mut response = answer::json(StatusCode::OK, &challenge::flow_error());
                let cookie = current.as_ref().and_then(|(key, _)| session::set_cookie(shared, key));
                response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
                return framed(response);
            }
            match serde_json::from_slice::<Map<String, Value>>(body) {
                Ok(sent) => Some(sent),
                Err(_) => {
                    let detail = json!({ "detail": "JSON parse error" });
                    return framed(answer::json(StatusCode::BAD_REQUEST, &detail));
                }
            }
        }
    };
    let user = current.as_ref().and_then(|(_, session)| session.user);
    let pending = current.as_ref().and_then(|(_, session)| session.plan.clone());
    let pending = pending.filter(|plan| plan.flow == flow.pk);
    if pending.is_none() && !applies(&flow, user.is_some()) {
        let to = navigation::next_in(&inner(query));
        return framed(answer::json(
            StatusCode::OK,
            &challenge::redirect(if to.is_empty() { "/" } else { &to }),
        ));
    }
    let plan = pending.unwrap_or_else(|| planned(shared, &flow, query));
    let key = current.map_or_else(|| session::open(shared, headers), |(key, _)| key);
    let mut browser = Browser { key: Some(key), signed_in: false };
    let mut response = browser.step(shared, &flow, plan, sent.as_ref(), query);
    browser.set_cookies(shared, &mut response);
    framed(response)
}

/// The browser at work.
struct Browser {
    /// The key of its session; none once it has ended.
    key: Option<String>,
    /// Whether it has just signed in.
    signed_in: bool,
}

impl Browser {
    /// Lets the plan's current stage work and keeps the plan.
    fn step(
        &mut self,
        shared: &Shared,
        flow: &Flow,
        mut plan: Plan,
        sent: Option<&Map<String, Value>>,
        query: &str,
    ) -> Response<Body> {
        let mut state = shared.state_mut();
        plan.errors.clear();
        let outcome = match sent {
            Some(sent) => stage::answered(&state, &shared.profile, &mut plan, sent),
            None => stage::shown(&plan),
        };
        match outcome {
            Outcome::Waits => {
                let user = self.user(&state).and_then(|pk| state.users.get(&pk));
                let shown = challenge::of(&state, &shared.profile, flow, &plan, user);
                self.keep(&mut state, Some(plan));
                answer::json(StatusCode::OK, &shown.unwrap_or_else(challenge::flow_error))
            }
            Outcome::Denied => {
                let shown = challenge::denied(&state, &shared.profile, flow, &plan, "Invalid password");
                self.keep(&mut state, None);
                answer::json(StatusCode::OK, &shown)
            }
            Outcome::Passes => self.next(&mut state, flow, plan, query),
            Outcome::SignsIn => {
                let old = self.key.take().unwrap_or_default();
                match sign_in::sign_in(&mut state, &old, &plan) {
                    Some(key) => {
                        shared.logs.write("authentik", "event=login");
                        self.key = Some(key);
                        self.signed_in = true;
                        self.next(&mut state, flow, plan, query)
                    }
                    // A plan with nobody verified, from a flow without a password stage.
                    None => {
                        self.key = Some(old);
                        let shown =
                            challenge::denied(&state, &shared.profile, flow, &plan, "No pending user.");
                        self.keep(&mut state, None);
                        answer::json(StatusCode::OK, &shown)
                    }
                }
            }
            Outcome::SignsOut => {
                shared.logs.write("authentik", "event=logout");
                let old = self.key.take().unwrap_or_default();
                plan.stages.remove(0);
                if plan.stages.is_empty() {
                    sign_in::sign_out(&mut state, &old, None);
                    return answer::json(StatusCode::OK, &challenge::redirect("/"));
                }
                self.key = sign_in::sign_out(&mut state, &old, Some(plan));
                answer::redirect(&own_url(flow, query))
            }
        }
    }

    /// Takes the finished stage off the plan: to the next stage, or out of the flow.
    fn next(&mut self, state: &mut State, flow: &Flow, mut plan: Plan, query: &str) -> Response<Body> {
        if !plan.stages.is_empty() {
            plan.stages.remove(0);
        }
        if plan.stages.is_empty() {
            self.keep(state, None);
            let to = if plan.next.is_empty() { "/" } else { &plan.next };
            return answer::json(StatusCode::OK, &challenge::redirect(to));
        }
        self.keep(state, Some(plan));
        answer::redirect(&own_url(flow, query))
    }

    fn user(&self, state: &State) -> Option<u64> {
        state.sessions.get(self.key.as_ref()?)?.user
    }

    fn keep(&self, state: &mut State, plan: Option<Plan>) {
        if let Some(session) = self.key.as_ref().and_then(|key| state.sessions.get_mut(key)) {
            session.plan = plan;
        }
    }

    fn set_cookies(&self, shared: &Shared, response: &mut Response<Body>) {
        let Some(key) = &self.key else {
            response.headers_mut().append(SET_COOKIE, session::remove_cookie());
            return;
        };
        let login = self.signed_in.then(|| sign_in::cookies(&shared.state(), key)).flatten();
        for cookie in login.into_iter().flatten().chain(session::set_cookie(shared, key)) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}

/// Whether a flow can be run by a browser that is or is not signed in.
fn applies(flow: &Flow, signed_in: bool) -> bool {
    match flow.authentication.as_str() {
        "require_authenticated" => signed_in,
        "require_unauthenticated" => !signed_in,
        _ => true,
    }
}

/// The plan of a flow that the browser came to by itself.
fn planned(shared: &Shared, flow: &Flow, query: &str) -> Plan {
    let next = navigation::next_in(&inner(query));
    let application =
        shared.profile.extra_authentication_hop.then(|| navigation::application_in(shared, &next)).flatten();
    Plan::new(flow, &Start { application, next, ..Start::default() })
}

/// The page's query, which its script hands over as the parameter `query`.
fn inner(query: &str) -> String {
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "query");
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn own_url(flow: &Flow, query: &str) -> String {
    format!("/api/v3/flows/executor/{}/?{query}", flow.slug)
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

/// Adds the headers of the executor's answers.
fn framed(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST, HEAD, OPTIONS"));
    response.headers_mut().insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}
