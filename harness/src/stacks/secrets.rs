//! What nobody may see: tokens and passwords of a stack.

use std::collections::BTreeMap;

use secrecy::SecretString;
use ssoproof_deployment::Deployment;

/// The secrets of one stack.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The token of Authentik's administrator.
    pub admin_token: SecretString,
    /// Passwords by persona.
    pub passwords: BTreeMap<String, SecretString>,
    /// Client secrets by client id.
    pub client_secrets: BTreeMap<String, SecretString>,
}

impl Secrets {
    /// New random secrets for everybody in `deployment`.
    pub fn random(deployment: &Deployment) -> Self {
        Self {
            admin_token: random(),
            passwords: deployment.personas.keys().map(|name| (name.clone(), random())).collect(),
            client_secrets: deployment
                .providers()
                .into_iter()
                .map(|(_, provider)| (provider.client_id.clone(), random()))
                .collect(),
        }
    }
}

fn random() -> SecretString {
    use base64::Engine as _;
    let bytes: [u8; 24] = rand::random();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes).into()
}
