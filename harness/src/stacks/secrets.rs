//! What nobody may see: tokens and passwords of a stack.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
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
    /// The password of Grafana's own administrator.
    pub grafana_admin: SecretString,
    /// The password of MinIO's root user.
    pub minio_root: SecretString,
}

/// The secrets in a file that only this user reads.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Kept {
    admin_token: String,
    passwords: BTreeMap<String, String>,
    client_secrets: BTreeMap<String, String>,
    grafana_admin: String,
    minio_root: String,
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
            grafana_admin: random(),
            minio_root: random(),
        }
    }

    pub(super) fn keep(&self) -> Kept {
        let plain = |secrets: &BTreeMap<String, SecretString>| {
            secrets.iter().map(|(name, secret)| (name.clone(), secret.expose_secret().to_owned())).collect()
        };
        Kept {
            admin_token: self.admin_token.expose_secret().to_owned(),
            passwords: plain(&self.passwords),
            client_secrets: plain(&self.client_secrets),
            grafana_admin: self.grafana_admin.expose_secret().to_owned(),
            minio_root: self.minio_root.expose_secret().to_owned(),
        }
    }
}

impl From<Kept> for Secrets {
    fn from(kept: Kept) -> Self {
        let hidden = |texts: BTreeMap<String, String>| {
            texts.into_iter().map(|(name, text)| (name, SecretString::from(text))).collect()
        };
        Self {
            admin_token: kept.admin_token.into(),
            passwords: hidden(kept.passwords),
            client_secrets: hidden(kept.client_secrets),
            grafana_admin: kept.grafana_admin.into(),
            minio_root: kept.minio_root.into(),
        }
    }
}

/// A new random secret of 24 bytes, in letters, digits, `-` and `_`.
pub(super) fn random() -> SecretString {
    use base64::Engine as _;
    let bytes: [u8; 24] = rand::random();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes).into()
}

/// Writes a file that only this user reads, whole or not at all.
pub(super) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let _ = std::fs::remove_file(&unfinished);
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(unfinished, path)
}
