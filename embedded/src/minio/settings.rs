//! What an embedded MinIO is started with.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::openid::OpenIdError;
use super::policy::PolicyDocument;
use super::role;
use crate::dial::Names;
use crate::logs::Logs;

/// Everything an embedded MinIO needs to know.
#[derive(Clone)]
pub struct Settings {
    /// The OpenID provider, as the `MINIO_IDENTITY_OPENID_*` variables name it.
    pub openid: OpenId,
    /// Policies by name, besides the built-in ones; one of a built-in name replaces it.
    pub policies: BTreeMap<String, PolicyDocument>,
    /// The root user's access key.
    pub root_user: String,
    /// The root user's secret key.
    pub root_password: String,
    /// The buckets there are from the start.
    pub buckets: Vec<String>,
    /// Which console answers on the console port.
    pub console: ConsoleVariant,
    /// Where the provider's hosts listen.
    pub names: Names,
    /// What MinIO trusts when it dials the provider.
    pub tls: Arc<rustls::ClientConfig>,
    /// Where the log lines of `minio` go.
    pub logs: Logs,
}

/// One OpenID provider.
#[derive(Clone, Debug, Default)]
pub struct OpenId {
    /// The URL of the discovery document; empty when there is no provider.
    pub config_url: String,
    /// The client id; with the secret it is also an HMAC key.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
    /// The claim that names policies; empty means `policy`.
    pub claim_name: String,
    /// The scopes the console asks for, comma-separated.
    pub scopes: String,
    /// Whether claims are completed from the userinfo endpoint.
    pub claim_userinfo: bool,
    /// Policies (comma-separated) for whoever names the provider's role ARN; then no claim is looked at.
    pub role_policy: Option<String>,
    /// Where the provider sends the browser back to; without it the console's own `/oauth_callback`.
    pub redirect_uri: Option<String>,
    /// What the console calls the provider; empty means `SSO`.
    pub display_name: String,
}

/// The console's two kinds: they differ in who may sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsoleVariant {
    /// Console 1.7.6, the last line with SSO (`truth/minio/31-old-console-1.7.6-sso`).
    #[default]
    Sso,
    /// The console of the newest MinIO, from which SSO was removed (`truth/minio/30-console-and-runtime-config`).
    WithoutSso,
}

impl OpenId {
    /// Whether there is a provider.
    pub(super) fn configured(&self) -> bool {
        !self.config_url.is_empty()
    }

    /// The claim that names policies.
    pub(super) fn claim(&self) -> &str {
        if self.claim_name.is_empty() { "policy" } else { &self.claim_name }
    }

    /// The ARN by which a client asks for the role policy, when there is one.
    pub(super) fn role_arn(&self) -> Option<String> {
        self.role_policy.as_ref().map(|_| role::arn(&self.client_id))
    }

    /// Refuses what MinIO refuses before it dials anyone (`truth/minio/21-role-policy-and-config`).
    pub(super) fn check(&self) -> Result<(), OpenIdError> {
        if let Some(role) = self.role_policy.as_ref().filter(|_| self.claim() != "policy") {
            let claim = self.claim_name.clone();
            return Err(OpenIdError::RoleAndClaim { role: role.clone(), claim });
        }
        if !self.scopes.is_empty() && self.scopes.split(',').any(|scope| scope.trim().is_empty()) {
            return Err(OpenIdError::EmptyScope(self.scopes.clone()));
        }
        Ok(())
    }
}
