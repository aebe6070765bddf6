//! Who calls the token, introspection and revocation endpoints.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::super::model::Provider;
use super::super::state::State;

/// The fields of a form.
pub(super) type Form = HashMap<String, String>;

/// Reads a form body; the last of two fields of one name counts.
pub(super) fn form(body: &[u8]) -> Form {
    url::form_urlencoded::parse(body).into_owned().collect()
}

/// The client id and secret of a request, from HTTP Basic or the form.
pub(super) fn credentials(headers: &HeaderMap, form: &Form) -> (String, String) {
    if let Some((id, secret)) = basic(headers) {
        return (id, secret);
    }
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    (field("client_id"), field("client_secret"))
}

/// The name and password of HTTP Basic.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// The provider of a client that proved who it is.
pub(super) fn authenticated<'s>(state: &'s State, id: &str, secret: &str) -> Option<&'s Provider> {
    let provider = state.client(id)?;
    (!provider.confidential || provider.client_secret == secret).then_some(provider)
}
