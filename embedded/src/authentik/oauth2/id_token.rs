//! The claims of an id_token and an access_token, in the order recorded (`41-oidc-code-flow-*`).

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::digest::hex;

/// The `acr` of every token the provider issues.
pub(crate) const ACR: &str = "goauthentik.io/providers/oauth2/default";

/// What is said about one sign-in to one relying party. Times are UNIX seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdToken {
    /// The provider's issuer URL, at the host that was asked.
    pub(crate) issuer: String,
    /// The user, as the provider's `sub_mode` names them.
    pub(crate) subject: String,
    /// The client id.
    pub(crate) audience: String,
    /// When the token ends.
    pub(crate) expires: i64,
    /// When the token was made.
    pub(crate) issued: i64,
    /// When the user logged in to the core session.
    pub(crate) auth_time: i64,
    /// How the user logged in; empty for a grant without a login.
    pub(crate) methods: Vec<String>,
    /// Half of the code's hash, in an id_token that travels beside a code.
    pub(crate) code_hash: Option<String>,
    /// The request's `nonce`.
    pub(crate) nonce: Option<String>,
    /// Half of the access token's hash, in an id_token that travels beside one.
    pub(crate) token_hash: Option<String>,
    /// The hash that names the core session; absent for a grant without one.
    pub(crate) session: Option<String>,
    /// The token's own id; absent before 2026.2.
    pub(crate) id: Option<String>,
    /// The claims of the granted scopes.
    pub(crate) claims: Map<String, Value>,
}

impl IdToken {
    /// The claims without those of the scopes.
    pub(crate) fn bare(&self) -> Map<String, Value> {
        let mut all = Map::new();
        all.insert("iss".into(), json!(self.issuer));
        all.insert("sub".into(), json!(self.subject));
        all.insert("aud".into(), json!(self.audience));
        all.insert("exp".into(), json!(self.expires));
        all.insert("iat".into(), json!(self.issued));
        all.insert("auth_time".into(), json!(self.auth_time));
        all.insert("acr".into(), json!(ACR));
        if !self.methods.is_empty() {
            all.insert("amr".into(), json!(self.methods));
        }
        let optional = [
            ("c_hash", &self.code_hash),
            ("nonce", &self.nonce),
            ("at_hash", &self.token_hash),
            ("sid", &self.session),
            ("jti", &self.id),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                all.insert(name.into(), json!(value));
            }
        }
        all
    }

    /// The claims with those of the scopes, which win over the others.
    pub(crate) fn full(&self) -> Map<String, Value> {
        let mut all = self.bare();
        all.extend(self.claims.clone());
        all
    }

    /// The claims of the access token: the full ones, the client, a fresh id and the scope, which 2025.8 leaves out.
    pub(crate) fn access(&self, uid: &str, scope: Option<&str>) -> Map<String, Value> {
        let mut all = self.full();
        all.insert("azp".into(), json!(self.audience));
        all.insert("uid".into(), json!(uid));
        if let Some(scope) = scope {
            all.insert("scope".into(), json!(scope));
        }
        all
    }
}

/// The `sid` of tokens: the hash of a core session's key.
pub(crate) fn session_hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_the_recorded_order() {
        let mut claims = Map::new();
        claims.insert("email".into(), json!("alice@spacemusic.tv"));
        let token = IdToken {
            methods: vec!["pwd".into()],
            nonce: Some("no-1".into()),
            session: Some("s".into()),
            id: Some("j".into()),
            claims,
            ..IdToken::default()
        };
        let access = token.access("u", Some("openid email"));
        let names: Vec<&str> = access.keys().map(String::as_str).collect();
        assert_eq!(
            names.join(" "),
            "iss sub aud exp iat auth_time acr amr nonce sid jti email azp uid scope"
        );
        assert!(!token.bare().contains_key("email"));
    }
}
