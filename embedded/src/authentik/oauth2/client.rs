//! Who asks: the relying party's credentials, and the host at which this Authentik was asked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST};

use super::params::Params;
use crate::authentik::model::Provider;
use crate::authentik::shared::Shared;
use crate::authentik::state::State;

/// Client id and secret as sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    /// The client id.
    pub(crate) id: String,
    /// The client secret; empty when none was sent.
    pub(crate) secret: String,
}

impl Credentials {
    /// Those of `Authorization: Basic`, else those of the form; unreadable Basic gives empty ones.
    pub(super) fn read(headers: &HeaderMap, form: &Params) -> Self {
        match authorization(headers, "Basic ") {
            None => {
                Self { id: form.get("client_id").to_owned(), secret: form.get("client_secret").to_owned() }
            }
            Some(encoded) => pair(encoded).map(|(id, secret)| Self { id, secret }).unwrap_or_default(),
        }
    }

    /// The provider these belong to, when the secret is right; one without a secret to keep needs none.
    pub(super) fn provider(&self, state: &State) -> Option<Provider> {
        let provider = state.client(&self.id)?;
        (!provider.confidential || self.secret == provider.client_secret).then(|| provider.clone())
    }
}

/// User and password of a Basic credential.
pub(crate) fn pair(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// What follows `scheme` (with its space) in `Authorization`.
pub(crate) fn authorization<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix(scheme)
}

/// Scheme and host at which the request was made, from `X-Forwarded-Proto` and `Host`: every URL of discovery and
/// the issuer begin with it (`40-oidc-discovery-jwks`, hops 25 and 26).
pub(crate) fn origin(shared: &Shared, headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    format!("{scheme}://{}", text(HOST.as_str()).unwrap_or(&shared.listen))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn basic_wins_over_the_form_and_nonsense_is_nobody() {
        let form = Params::parse("client_id=form&client_secret=f");
        let with = |value: &str| {
            HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(value).expect("ascii"))])
        };
        let read = |headers: &HeaderMap| Credentials::read(headers, &form).id;
        assert_eq!(read(&HeaderMap::new()), "form");
        assert_eq!(read(&with("Bearer x")), "form");
        assert_eq!(read(&with("Basic Z3JhZmFuYS1jbGllbnQtaWQ6d3Jvbmc=")), "grafana-client-id");
        assert_eq!(read(&with("Basic %%%")), "");
    }
}
