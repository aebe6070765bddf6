//! From a grant to tokens.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::model::{Grant, Provider, User};
use super::super::password::random_text;
use super::super::session;
use super::super::shared::Shared;
use super::super::state::State;
use super::base::Base;
use super::claims;
use super::id_token::IdToken;
use super::keys::{KeyError, SigningKey};

/// The tokens of a grant.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
    /// The claims of the access token, which hold those of the scopes.
    pub(crate) claims: Map<String, Value>,
    /// How long the access token is good, in seconds.
    pub(crate) lifetime: i64,
}

/// Signs the tokens of `grant` for a request to `base`.
///
/// # Errors
/// [`KeyError`] when the provider's key does not sign.
pub(crate) fn issue(shared: &Shared, grant: &Grant, base: &Base) -> Result<Issued, KeyError> {
    let (token, include, key) = {
        let state = shared.state();
        let (Some(provider), Some(user)) =
            (state.providers.get(&grant.provider), state.users.get(&grant.user))
        else {
            return Err(KeyError::Unusable);
        };
        (
            describe(shared, &state, provider, user, grant, base),
            provider.include_claims_in_id_token,
            key(&state, provider),
        )
    };
    let uid = random_text(40);
    let claims = token.access(&uid, &grant.scopes.join(" "));
    let access_token = sign(&key, &claims)?;
    let id_token = sign(&key, &if include { token.full() } else { token.bare() })?;
    Ok(Issued { access_token, id_token, claims, lifetime: token.expires - token.issued })
}

/// The key of a provider: its key pair's, or the client secret.
pub(crate) enum Key {
    Pair(std::sync::Arc<SigningKey>),
    Secret(SigningKey),
}

pub(super) fn key(state: &State, provider: &Provider) -> Key {
    match provider.signing_key.and_then(|pk| state.key_pairs.get(&pk)) {
        Some(pair) => Key::Pair(pair.signing.clone()),
        None => Key::Secret(SigningKey::from_client_secret(&provider.client_secret)),
    }
}

impl Key {
    pub(super) fn signing(&self) -> &SigningKey {
        match self {
            Self::Pair(key) => key,
            Self::Secret(key) => key,
        }
    }
}

fn sign(key: &Key, claims: &Map<String, Value>) -> Result<String, KeyError> {
    key.signing().sign(claims)
}

/// What the tokens say.
fn describe(
    shared: &Shared,
    state: &State,
    provider: &Provider,
    user: &User,
    grant: &Grant,
    base: &Base,
) -> IdToken {
    let now = Timestamp::now().as_second();
    let slug = state.application_of(provider.pk).map(|found| found.slug.clone()).unwrap_or_default();
    let core = grant.session.as_ref().and_then(|key| state.sessions.get(key));
    IdToken {
        issuer: base.issuer(&slug, &provider.issuer_mode),
        subject: subject(provider, user),
        audience: provider.client_id.clone(),
        expires: now + provider.access_token_validity.seconds,
        issued: now,
        auth_time: grant.auth_time.as_second(),
        methods: grant.methods.clone(),
        code_hash: None,
        nonce: grant.nonce.clone(),
        token_hash: None,
        session: core.map(session::token_id),
        id: shared.profile.long_kid.then(|| random_text(40)),
        claims: claims::of(shared, state, provider, user, &grant.scopes),
    }
}

/// `sub`, as the provider's mode names the user.
pub(super) fn subject(provider: &Provider, user: &User) -> String {
    match provider.sub_mode.as_str() {
        "user_id" => user.pk.to_string(),
        "user_uuid" => user.uuid.to_string(),
        "user_username" => user.username.clone(),
        "user_email" => user.email.clone(),
        "user_upn" => user.attributes.get("upn").and_then(Value::as_str).unwrap_or(&user.uid).to_owned(),
        _ => user.uid.clone(),
    }
}
