//! The `state` that carries a browser through the login: a JWT signed with the client secret (`10-unauth-chain-*`).

use serde_json::{Map, json};

use crate::authentik::oauth2::keys::{SigningKey, verify_hs256};

/// What `state` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateToken {
    /// The client id of the service's provider.
    pub(crate) client_id: String,
    /// The proxy session that began the login.
    pub(crate) session: String,
    /// A random value.
    pub(crate) nonce: String,
    /// Where the browser goes after the login; empty means the provider's external host.
    pub(crate) redirect: String,
}

impl StateToken {
    /// The compact JWT.
    pub(crate) fn encode(&self, client_secret: &str) -> String {
        let claims = json!({
            "iss": issuer(&self.client_id), "sid": self.session, "state": self.nonce, "redirect": self.redirect,
        });
        let claims = claims.as_object().cloned().unwrap_or_else(Map::new);
        // Signing with a secret cannot fail; an empty state would be refused by `decode`.
        SigningKey::from_client_secret(client_secret).sign(&claims).unwrap_or_default()
    }

    /// The state of `token` when this client made it; none for anything else.
    pub(crate) fn decode(token: &str, client_id: &str, client_secret: &str) -> Option<Self> {
        let claims = verify_hs256(token, client_secret.as_bytes())?;
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        (claims["iss"] == issuer(client_id)).then_some(())?;
        Some(Self {
            client_id: client_id.to_owned(),
            session: text("sid")?,
            nonce: text("state")?,
            redirect: text("redirect")?,
        })
    }
}

fn issuer(client_id: &str) -> String {
    format!("goauthentik.io/outpost/{client_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_comes_back_for_its_own_client_only() {
        let state = StateToken {
            client_id: "c".into(),
            session: "S".into(),
            nonce: "n".into(),
            redirect: "https://stream.spacemusic.tv/a?b=c".into(),
        };
        let token = state.encode("secret");
        assert!(token.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."));
        assert_eq!(StateToken::decode(&token, "c", "secret"), Some(state));
        assert_eq!(StateToken::decode(&token, "c", "other"), None);
        assert_eq!(StateToken::decode(&token, "d", "secret"), None);
        assert_eq!(StateToken::decode("y", "c", "secret"), None);
    }
}
