//! What a service is told about its user: `X-authentik-*` (`20-login-alice`, hop 43; `23-groups-names`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::served::Served;
use crate::authentik::model::ProxySession;
use crate::authentik::shared::Shared;

/// Where a header's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A claim that is a text.
    Text(&'static str),
    /// A claim that is a list of texts, joined.
    List(&'static str),
    /// The token the claims came in.
    RawToken,
    /// The URL of the provider's keys.
    Keys,
    /// The outpost's name.
    Outpost,
    /// The provider's name.
    Provider,
    /// The application's slug.
    Application,
    /// The outpost's product name and version.
    Version,
}

/// How the outpost behaves where versions differ, or a fault may be set.
#[derive(Clone, Debug)]
pub(super) struct Emit {
    /// What stands between the names of a list.
    pub(super) separator: &'static str,
    /// The headers and their sources.
    pub(super) headers: &'static [(&'static str, Source)],
    /// Whether `sign_out` drops the user's sessions.
    pub(super) sign_out_drops_sessions: bool,
}

impl Emit {
    /// The behaviour of `shared`'s outpost.
    pub(super) fn of(_: &Shared) -> Self {
        Self { separator: "|", headers: HEADERS, sign_out_drops_sessions: true }
    }
}

const HEADERS: &[(&str, Source)] = &[
    ("x-authentik-username", Source::Text("preferred_username")),
    ("x-authentik-groups", Source::List("groups")),
    ("x-authentik-entitlements", Source::List("entitlements")),
    ("x-authentik-email", Source::Text("email")),
    ("x-authentik-name", Source::Text("name")),
    ("x-authentik-uid", Source::Text("sub")),
    ("x-authentik-jwt", Source::RawToken),
    ("x-authentik-meta-jwks", Source::Keys),
    ("x-authentik-meta-outpost", Source::Outpost),
    ("x-authentik-meta-provider", Source::Provider),
    ("x-authentik-meta-app", Source::Application),
    ("x-authentik-meta-version", Source::Version),
];

/// Adds the headers of `session` to `headers`: its claims are those of its login, whatever changed since.
pub(super) fn add(shared: &Shared, served: &Served, session: &ProxySession, headers: &mut HeaderMap) {
    let emit = Emit::of(shared);
    headers.insert(HeaderName::from_static("x-powered-by"), HeaderValue::from_static("authentik_proxy2"));
    for (name, source) in emit.headers {
        let text = value(shared, served, session, *source, emit.separator);
        set(headers, HeaderName::from_static(name), &text);
    }
    let Some(attributes) =
        session.claims.get("ak_proxy").and_then(|proxy| proxy["user_attributes"].as_object())
    else {
        return;
    };
    if served.proxy.basic_auth_enabled {
        set(headers, AUTHORIZATION, &basic(served, &session.claims, attributes));
    }
    for (name, value) in attributes.get("additionalHeaders").and_then(Value::as_object).into_iter().flatten()
    {
        if let Ok(name) = HeaderName::try_from(name) {
            set(headers, name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
    }
}

fn value(
    shared: &Shared,
    served: &Served,
    session: &ProxySession,
    source: Source,
    separator: &str,
) -> String {
    match source {
        Source::Text(claim) => text(&session.claims, claim).to_owned(),
        Source::List(claim) => {
            let names = session.claims.get(claim).and_then(Value::as_array).into_iter().flatten();
            names.filter_map(Value::as_str).collect::<Vec<_>>().join(separator)
        }
        Source::RawToken => session.raw_token.clone(),
        Source::Keys => format!("{}/application/o/{}/jwks/", served.core, served.application),
        Source::Outpost => served.outpost.clone(),
        Source::Provider => served.provider.name.clone(),
        Source::Application => served.application.clone(),
        Source::Version => format!("goauthentik.io/outpost/{}", shared.profile.version),
    }
}

fn text<'c>(claims: &'c Map<String, Value>, claim: &str) -> &'c str {
    claims.get(claim).and_then(Value::as_str).unwrap_or_default()
}

/// The credential for a service that wants HTTP Basic, from the user's attributes.
fn basic(served: &Served, claims: &Map<String, Value>, attributes: &Map<String, Value>) -> String {
    let attribute = |name: &str| attributes.get(name).and_then(Value::as_str);
    let user = attribute(&served.proxy.basic_auth_user_attribute).unwrap_or_else(|| text(claims, "email"));
    let password = attribute(&served.proxy.basic_auth_password_attribute).unwrap_or_default();
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Sets a header to the bytes of `text`: UTF-8 as it is, line breaks as spaces, as Go writes them.
fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    let bytes: Vec<u8> =
        text.bytes().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }).collect();
    if let Ok(value) = HeaderValue::from_bytes(&bytes) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn non_ascii_names_are_raw_utf8_and_line_breaks_are_spaces() {
        let mut headers = HeaderMap::new();
        let name = HeaderName::from_static("x-authentik-name");
        set(&mut headers, name.clone(), "Zo\u{eb} \u{5f20}\r\nX: y");
        assert_eq!(headers[&name].as_bytes(), "Zo\u{eb} \u{5f20}  X: y".as_bytes());
    }
}
