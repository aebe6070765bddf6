//! `auth/traefik`: may this request pass? (`11-*`, `12-*`, `24-*`, `54-*`)

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use http::header::HeaderMap;
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value};
use url::Url;

use super::super::model::{Grant, Intent};
use super::super::oauth2::issue;
use super::super::shared::Shared;
use super::application::{self, Application};
use super::{answer, callback, cookie, headers, login, sign_out};

/// Asks the outpost about the request that the `X-Forwarded-*` headers describe.
pub(super) async fn forward(Extract(shared): Extract<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let host = application::host(&parts.headers);
    let Some(application) = application::find(&shared, &host) else {
        return application::unknown_host(&shared, &host);
    };
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, path) = (text("x-forwarded-proto"), text("x-forwarded-uri"));
    if scheme.is_empty() {
        return answer::error(StatusCode::INTERNAL_SERVER_ERROR, "configuration error");
    }
    let asked = format!("{scheme}://{host}{path}");
    let flagged = |name: &str| {
        Url::parse(&asked).ok().is_some_and(|url| {
            url.query_pairs()
                .any(|(key, value)| key.eq_ignore_ascii_case(name) && value.eq_ignore_ascii_case("true"))
        })
    };
    if flagged("X-authentik-logout") {
        return sign_out::end(&shared, &application, &parts.method, &parts.headers);
    }
    if flagged("X-authentik-auth-callback") {
        let query =
            Url::parse(&asked).ok().and_then(|url| url.query().map(str::to_owned)).unwrap_or_default();
        return callback::finish(&shared, &application, &parts.method, &parts.headers, &query);
    }
    if let Some((claims, token)) = session(&shared, &application, &parts.headers) {
        return headers::allowed(&shared, &application, &claims, &token);
    }
    if let Some((claims, token)) = app_password(&shared, &application, &parts.headers) {
        return headers::allowed(&shared, &application, &claims, &token);
    }
    if skips(&application, path) {
        return answer::empty(StatusCode::OK);
    }
    login::begin(&shared, &application, &parts.method, &parts.headers, &asked)
}

fn skips(application: &Application, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let patterns = application.proxy.skip_path_regex.lines().map(str::trim).filter(|line| !line.is_empty());
    patterns.filter_map(|pattern| regex::Regex::new(pattern).ok()).any(|pattern| pattern.is_match(path))
}

/// The claims and token of the browser's session at this service.
pub(super) fn session(
    shared: &Shared,
    application: &Application,
    headers: &HeaderMap,
) -> Option<(Map<String, Value>, String)> {
    let id = cookie::sent(headers, &cookie::name(&application.provider.client_id))?;
    let state = shared.state();
    let session = state.proxy_sessions.get(id)?;
    let good = session.provider == application.provider.pk && session.expires > Timestamp::now();
    good.then(|| Some((session.claims.clone()?, session.access_token.clone())))?
}

/// The claims and token of a user who sends an app password by HTTP Basic.
fn app_password(
    shared: &Shared,
    application: &Application,
    headers: &HeaderMap,
) -> Option<(Map<String, Value>, String)> {
    if !application.proxy.intercept_header_auth {
        return None;
    }
    let (username, password) = super::super::oauth2::basic(headers)?;
    let grant = {
        let state = shared.state();
        let user = state.users.values().find(|user| user.username.eq_ignore_ascii_case(&username))?;
        let token = state.tokens.iter().any(|token| {
            token.user == user.pk && token.intent == Intent::AppPassword && token.key == password
        });
        let allowed =
            state.application_of(application.provider.pk).is_some_and(|app| state.lets_in(user, app));
        if !token || !user.is_active || !allowed {
            return None;
        }
        Grant {
            provider: application.provider.pk,
            user: user.pk,
            session: None,
            scopes: login::SCOPES.into_iter().map(str::to_owned).collect(),
            redirect_uri: String::new(),
            nonce: None,
            challenge: None,
            auth_time: Timestamp::now(),
            methods: Vec::new(),
            expires: Timestamp::now(),
        }
    };
    let issued = issue(shared, &grant, &application.base).ok()?;
    Some((issued.claims, issued.access_token))
}
