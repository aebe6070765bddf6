//! `/sign_out`: drops the user's proxy sessions and sends the browser to end-session (`30-signout-full-chain` to
//! `35-signout-post`). A parameter `rd` is ignored.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State as Extract;
use http::{HeaderMap, Method, Response};
use serde_json::Value;

use super::headers::Emit;
use super::served::Served;
use super::{answer as go, sessions, start};
use crate::authentik::flows;
use crate::authentik::oauth2::params::Params;
use crate::authentik::shared::Shared;

/// Signs the browser's user out of every service, in every browser.
pub(super) async fn answer(
    Extract(shared): Extract<Arc<Shared>>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    match Served::at(&shared, &headers) {
        Some(served) => finish(&shared, &served, &method, &headers, "/outpost.goauthentik.io/sign_out"),
        None => flows::answer::not_found(),
    }
}

/// The same for a request to `path`. A stranger goes to the login first and comes back to `path`.
pub(super) fn finish(
    shared: &Shared,
    served: &Served,
    method: &Method,
    headers: &HeaderMap,
    path: &str,
) -> Response<Body> {
    let Some(session) = sessions::current(shared, served, headers) else {
        return start::detour(shared, served, method, headers, path);
    };
    if !shared.profile.sign_out_answers {
        shared.logs.write("authentik", "event=\"panic in sign_out\" (goauthentik/authentik#17922)");
        return go::dropped();
    }
    if Emit::of(shared).sign_out_drops_sessions {
        let sub = session.claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        shared.state_mut().drop_proxy_sessions(sub);
    }
    let query = Params::default().with("id_token_hint", session.raw_token).encoded();
    go::redirect(
        method,
        &format!("{}/application/o/{}/end-session/?{query}", served.browser, served.application),
    )
}
