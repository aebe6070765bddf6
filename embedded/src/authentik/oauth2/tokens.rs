//! Making tokens: what a grant of one user to one relying party becomes (`41-oidc-code-flow-*`, `44-*`).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::table::Table;
use super::claims;
use super::id_token::{IdToken, session_hash};
use super::keys::{KeyError, SigningKey};
use crate::authentik::model::{Grant, Lifetime, Provider, User};
use crate::authentik::shared::Shared;
use crate::authentik::state::State;

/// The scope that asks for a refresh token.
pub(super) const OFFLINE: &str = "offline_access";

/// Who granted what to whom: everything a token says.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) provider: Provider,
    pub(super) user: User,
    pub(super) issuer: String,
    /// The core session's key.
    pub(super) session: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    pub(super) auth_time: Timestamp,
    pub(super) methods: Vec<String>,
}

/// Tokens as the token endpoint hands them out.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    /// The access token, a JWT.
    pub(crate) access_token: String,
    /// The id token, a JWT.
    pub(crate) id_token: String,
    /// The refresh token, when `offline_access` was granted.
    pub(crate) refresh_token: Option<String>,
    /// The granted scopes.
    pub(crate) scopes: Vec<String>,
    /// The access token's lifetime, in seconds.
    pub(crate) expires_in: i64,
    /// The claims of the access token.
    pub(crate) claims: Map<String, Value>,
    /// The claims of the id token.
    pub(crate) id_claims: Map<String, Value>,
}

impl Issued {
    /// The body of a token answer, members in the order recorded.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "access_token": self.access_token,
            "token_type": "Bearer",
            "scope": self.scopes.join(" "),
            "expires_in": self.expires_in,
            "id_token": self.id_token,
        });
        if let Some(token) = &self.refresh_token {
            body["refresh_token"] = json!(token);
        }
        body
    }
}

impl Subject {
    /// What an id token issued now says; hashes and further members are the caller's to add.
    pub(super) fn id_token(&self, shared: &Shared) -> IdToken {
        let now = Timestamp::now().as_second();
        let claims = if self.provider.include_claims_in_id_token {
            claims::of_scopes(shared, &self.provider, &self.user, &self.scopes)
        } else {
            Map::new()
        };
        IdToken {
            issuer: self.issuer.clone(),
            subject: claims::subject(&self.provider, &self.user),
            audience: self.provider.client_id.clone(),
            expires: now.saturating_add(self.provider.access_token_validity.seconds),
            issued: now,
            auth_time: self.auth_time.as_second(),
            methods: self.methods.clone(),
            code_hash: None,
            nonce: self.nonce.clone(),
            token_hash: None,
            session: self.session.as_deref().map(session_hash),
            id: shared.profile.token_id.then(|| random_text(40)),
            claims,
        }
    }

    /// An access token that says `id_token`, kept until it expires, and its claims.
    ///
    /// # Errors
    /// [`KeyError`] when the provider's key does not sign.
    pub(super) fn access_token(
        &self,
        shared: &Shared,
        id_token: &IdToken,
    ) -> Result<(String, Map<String, Value>), KeyError> {
        let scope = self.scopes.join(" ");
        let scope = shared.profile.scope_in_access_token.then_some(scope.as_str());
        let claims = id_token.access(&random_text(40), scope);
        let token = signing_key(shared, &self.provider).sign(&claims)?;
        let mut grant = self.grant(&self.provider.access_token_validity);
        grant.id_token = id_token.full();
        keep(&mut shared.state_mut().access_tokens, token.clone(), grant);
        Ok((token, claims))
    }

    /// All the tokens of a redeemed code or refresh token.
    ///
    /// # Errors
    /// [`KeyError`] when the provider's key does not sign.
    pub(super) fn issue(&self, shared: &Shared, refreshable: bool) -> Result<Issued, KeyError> {
        let id_token = self.id_token(shared);
        let (access_token, claims) = self.access_token(shared, &id_token)?;
        let id_claims = id_token.full();
        let signed = signing_key(shared, &self.provider).sign(&id_claims)?;
        let refresh_token = refreshable.then(|| {
            let token = random_text(128);
            let mut grant = self.grant(&self.provider.refresh_token_validity);
            grant.id_token = id_claims.clone();
            keep(&mut shared.state_mut().refresh_tokens, token.clone(), grant);
            token
        });
        Ok(Issued {
            access_token,
            id_token: signed,
            refresh_token,
            scopes: self.scopes.clone(),
            expires_in: self.provider.access_token_validity.seconds,
            claims,
            id_claims,
        })
    }

    /// A grant that lasts for `lifetime` from now.
    pub(super) fn grant(&self, lifetime: &Lifetime) -> Grant {
        Grant {
            provider: self.provider.pk,
            user: self.user.pk,
            session: self.session.clone(),
            scopes: self.scopes.clone(),
            redirect_uri: String::new(),
            nonce: self.nonce.clone(),
            challenge: None,
            auth_time: self.auth_time,
            methods: self.methods.clone(),
            expires: after(lifetime),
            id_token: Map::new(),
            revoked: false,
        }
    }
}

/// Keeps `grant` under `token` and lets go of those that have expired.
pub(super) fn keep(grants: &mut Table<String, Grant>, token: String, grant: Grant) {
    let now = Timestamp::now();
    grants.retain(|_, grant| grant.expires > now);
    grants.insert(token, grant);
}

/// The end of a lifetime that begins now; the end of time for one that is too long.
fn after(lifetime: &Lifetime) -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_secs(lifetime.seconds)).unwrap_or(Timestamp::MAX)
}

/// What `provider` signs with: its key pair, or its client secret.
pub(super) fn signing_key(shared: &Shared, provider: &Provider) -> Arc<SigningKey> {
    let state = shared.state();
    let pair = provider.signing_key.and_then(|pk| state.key_pairs.get(&pk));
    pair.map_or_else(
        || Arc::new(SigningKey::from_client_secret(&provider.client_secret)),
        |pair| pair.signing.clone(),
    )
}

/// The issuer of `provider`'s tokens, asked at `origin`.
pub(super) fn issuer(state: &State, provider: &Provider, origin: &str) -> String {
    match state.application_of(provider.pk) {
        Some(application) if provider.issuer_mode != "global" => {
            format!("{origin}/application/o/{}/", application.slug)
        }
        _ => format!("{origin}/"),
    }
}

/// The left half of the SHA-256 of a code or access token: `c_hash` and `at_hash`.
pub(super) fn half_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(text.as_bytes())[..16])
}

/// `length` random letters and digits.
pub(super) fn random_text(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    (0..length).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_hash_is_that_of_the_core_specification() {
        // OpenID Connect Core 1.0, appendix A.4: `code` and its `c_hash`.
        assert_eq!(
            half_hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"),
            "LDktKdoQak3Pk0cnXxCltA"
        );
    }

    #[test]
    fn random_text_has_its_length_and_alphabet() {
        let text = random_text(40);
        assert_eq!(text.len(), 40);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(text, random_text(40));
    }
}
