//! What goes back to the relying party: its redirect URI with a code or tokens (`43-oidc-authorize-variants`).

use http::HeaderMap;
use jiff::Timestamp;
use url::form_urlencoded::{Serializer, parse};
use uuid::Uuid;

use super::client::origin;
use super::keys::KeyError;
use super::request::{AuthorizationRequest, Mode};
use super::tokens::{self, Subject};
use crate::authentik::model::{CoreSession, User};
use crate::authentik::shared::Shared;

/// The parameters that answer `request`, in the order recorded. The code is kept until it is redeemed or too old.
///
/// # Errors
/// [`KeyError`] when the provider's key does not sign.
pub(super) fn parameters(
    shared: &Shared,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
    (key, session, user): (&str, &CoreSession, User),
) -> Result<Vec<(&'static str, String)>, KeyError> {
    let provider = &request.provider;
    let issuer = tokens::issuer(&shared.state(), provider, &origin(shared, headers));
    let subject = Subject {
        provider: provider.clone(),
        user,
        issuer,
        session: Some(key.to_owned()),
        scopes: request.scopes.clone(),
        nonce: request.nonce.clone(),
        auth_time: session.signed_in.unwrap_or_else(Timestamp::now),
        methods: session.methods.clone(),
    };
    let code = request.response_type.code.then(|| {
        let code = Uuid::new_v4().simple().to_string();
        let mut grant = subject.grant(&provider.access_code_validity);
        grant.redirect_uri.clone_from(&request.redirect_uri);
        grant.challenge.clone_from(&request.challenge);
        tokens::keep(&mut shared.state_mut().codes, code.clone(), grant);
        code
    });
    let mut parameters = Vec::new();
    if request.response_type.is_implicit() {
        let mut id_token = subject.id_token(shared);
        id_token.code_hash = code.as_deref().map(tokens::half_hash);
        if request.response_type.token {
            let (token, _) = subject.access_token(shared, &id_token)?;
            id_token.token_hash = Some(tokens::half_hash(&token));
            parameters.push(("access_token", token));
        }
        if request.response_type.id_token {
            parameters.push(("id_token", tokens::signing_key(shared, provider).sign(&id_token.full())?));
        }
    }
    parameters.extend(code.map(|code| ("code", code)));
    if request.response_type.is_implicit() {
        parameters.push(("token_type", "Bearer".to_owned()));
        parameters.push(("expires_in", provider.access_token_validity.seconds.to_string()));
    }
    parameters.push(("state", request.state.clone()));
    Ok(parameters)
}

/// The redirect URI with `parameters` in its query or fragment; a query that is there already stays.
pub(super) fn location(redirect_uri: &str, mode: Mode, parameters: &[(&'static str, String)]) -> String {
    let (address, fragment) = redirect_uri.split_once('#').unwrap_or((redirect_uri, ""));
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    let mut encoder = Serializer::new(String::new());
    if mode == Mode::Fragment {
        let encoded = encoder.extend_pairs(parameters).finish();
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        return format!("{address}{query}#{encoded}");
    }
    encoder.extend_pairs(parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()));
    let encoded = encoder.extend_pairs(parameters).finish();
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    format!("{address}?{encoded}{fragment}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stand_behind_a_query_that_is_there() {
        let parameters = [("code", "c".to_owned()), ("state", String::new())];
        assert_eq!(
            location(
                "https://stream.spacemusic.tv/outpost.goauthentik.io/callback?X-authentik-auth-callback=true",
                Mode::Query,
                &parameters
            ),
            "https://stream.spacemusic.tv/outpost.goauthentik.io/callback?X-authentik-auth-callback=true&code=c&state="
        );
        assert_eq!(location("https://x/cb", Mode::Fragment, &parameters), "https://x/cb#code=c&state=");
    }
}
