//! `/application/o/authorize/`, shared by all applications (`20-login-*`, `43-oidc-authorize-variants`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State as Extract};
use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderMap, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::params::Params;
use super::request::{AuthorizationRequest, Mode};
use super::{login, page, response};
use crate::authentik::flows::{self, Start, answer};
use crate::authentik::model::{Application, CoreSession, PlannedStage};
use crate::authentik::session;
use crate::authentik::shared::Shared;

const PATH: &str = "/application/o/authorize/";

/// The request in the query.
pub(super) async fn get(
    Extract(shared): Extract<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    authorize(&shared, &headers, &query.unwrap_or_default())
}

/// The request in a form.
pub(super) async fn post(
    Extract(shared): Extract<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    authorize(&shared, &headers, &String::from_utf8_lossy(&body))
}

fn authorize(shared: &Shared, headers: &HeaderMap, query: &str) -> Response<Body> {
    if query.is_empty() {
        return answer::not_found();
    }
    let params = Params::parse(query);
    let request = match AuthorizationRequest::read(shared, &params) {
        Ok(request) => request,
        Err(refusal) => {
            let line = format!(
                "event=authorize_refused client={:?} error={:?}",
                params.get("client_id"),
                refusal.code()
            );
            shared.logs.write("authentik", line);
            return refusal.answer();
        }
    };
    let current = session::current(shared, headers);
    let user = current.as_ref().and_then(|(_, session)| shared.state().users.get(&session.user?).cloned());
    if user.is_none() && request.asks_for("none") {
        return request.login_required().answer();
    }
    let Some(application) = shared.state().application_of(request.provider.pk).cloned() else {
        return answer::not_found();
    };
    let log_in = || login::begin(shared, headers, (&request.provider, &application), PATH, query);
    let (Some((key, session)), Some(user)) = (current, user) else { return log_in() };
    if !shared.state().lets_in(&user, &application) {
        let line = format!("event=access_denied application={} user={}", application.slug, user.username);
        shared.logs.write("authentik", line);
        return page::denied(shared, &key);
    }
    if refuses_login(&request, &session) {
        if let Some(kept) = shared.state_mut().sessions.get_mut(&key) {
            kept.refused_login = session.signed_in;
        }
        return log_in();
    }
    if let Some(kept) = shared.state_mut().sessions.get_mut(&key) {
        kept.refused_login = None;
    }
    let username = user.username.clone();
    let Ok(parameters) = response::parameters(shared, headers, &request, (&key, &session, user)) else {
        return answer::blank(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let line = format!("event=authorize_application application={} user={username}", application.slug);
    shared.logs.write("authentik", line);
    let stages = stages(shared, &request, &application, &parameters);
    let location = response::location(&request.redirect_uri, request.mode, &parameters);
    if !stages.is_empty() {
        let query = params.encoded();
        let start =
            Start { application: Some(application.slug), next: location, query, stages, ..Start::default() };
        return flows::begin(shared, headers, request.provider.authorization_flow, start);
    }
    let mut response = answer::redirect(&location);
    if let Some(cookie) = session::set_cookie(shared, &key) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Whether the session's login does not do: the client asks for a new one, or for one younger than `max_age`.
fn refuses_login(request: &AuthorizationRequest, session: &CoreSession) -> bool {
    let Some(signed_in) = session.signed_in else { return false };
    let too_old = request.max_age.is_some_and(|allowed| is_older(signed_in, allowed, Timestamp::now()));
    let asked = request.asks_for("login") && session.refused_login.is_none_or(|refused| refused == signed_in);
    too_old || asked
}

/// Whether a login is older than `allowed` seconds; zero allows any age.
fn is_older(signed_in: Timestamp, allowed: i64, now: Timestamp) -> bool {
    allowed > 0 && now.duration_since(signed_in) > SignedDuration::from_secs(allowed)
}

/// What the browser is shown on the way to the client: nothing, as a rule.
fn stages(
    shared: &Shared,
    request: &AuthorizationRequest,
    application: &Application,
    parameters: &[(&'static str, String)],
) -> Vec<PlannedStage> {
    let mut stages = Vec::new();
    if request.asks_for("consent") {
        let state = shared.state();
        let mut permissions: Vec<_> = super::claims::mappings(&state, &request.provider)
            .filter(|mapping| request.scopes.contains(&mapping.scope_name))
            .map(|mapping| (mapping.scope_name.clone(), mapping.description.clone()))
            .collect();
        permissions.sort();
        stages.push(PlannedStage::Consent { permissions });
    }
    if request.mode == Mode::FormPost {
        stages.push(PlannedStage::Autosubmit {
            url: request.redirect_uri.clone(),
            fields: parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            title: format!("Redirecting to {}...", application.name),
        });
    } else if !stages.is_empty() {
        stages.push(PlannedStage::Fulfilment);
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_too_old_when_it_is_older_than_max_age() {
        // 43-oidc-authorize-variants, hop 83: `max_age=1`.
        let at = |text: &str| text.parse::<Timestamp>().expect("time");
        let login = at("2026-11-25T04:20:40Z");
        assert!(is_older(login, 1, at("2026-11-25T04:20:41.2Z")));
        assert!(!is_older(login, 1, at("2026-11-25T04:20:41Z")));
        assert!(!is_older(login, 0, at("2026-11-26T04:20:41Z")));
    }
}
