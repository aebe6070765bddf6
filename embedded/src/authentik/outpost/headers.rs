//! What the outpost says of a user: the `X-authentik-*` headers of a 200 answer (`20-login-alice`).

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::super::shared::Shared;
use super::answer;
use super::application::Application;

/// How lists are written into one header.
#[derive(Clone, Copy, Debug)]
struct Emit {
    /// What stands between two names; a name that holds it is not escaped (`23-groups-names`).
    separator: &'static str,
}

const EMIT: Emit = Emit { separator: "|" };

/// The answer that lets a request through, with who it is.
pub(super) fn allowed(
    shared: &Shared,
    application: &Application,
    claims: &Map<String, Value>,
    token: &str,
) -> Response<Body> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |name: &str| {
        let names = claims.get(name).and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).collect::<Vec<_>>().join(EMIT.separator)
    };
    let says = [
        ("x-authentik-username", text("preferred_username")),
        ("x-authentik-groups", list("groups")),
        ("x-authentik-entitlements", list("entitlements")),
        ("x-authentik-email", text("email")),
        ("x-authentik-name", text("name")),
        ("x-authentik-uid", text("sub")),
        ("x-authentik-jwt", token.to_owned()),
        (
            "x-authentik-meta-jwks",
            application.base.join(&format!("/application/o/{}/jwks/", application.slug)),
        ),
        ("x-authentik-meta-outpost", application.outpost.clone()),
        ("x-authentik-meta-provider", application.provider.name.clone()),
        ("x-authentik-meta-app", application.slug.clone()),
        ("x-authentik-meta-version", format!("goauthentik.io/outpost/{}", shared.profile.version)),
    ];
    let mut response = answer::empty(StatusCode::OK);
    for (name, value) in says {
        // Raw UTF-8, as Go writes it; a line break in a name would be no header value and is left out.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    let additional = claims
        .get("ak_proxy")
        .and_then(|proxy| proxy["user_attributes"]["additionalHeaders"].as_object().cloned())
        .unwrap_or_default();
    for (name, value) in additional {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes()))
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
