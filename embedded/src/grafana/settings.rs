//! What an embedded Grafana is started with.

use std::sync::Arc;

use url::Url;

use super::role::RoleSettings;
use crate::dial::Names;
use crate::logs::Logs;

/// Everything an embedded Grafana needs to know, by the names of `grafana.ini`.
#[derive(Clone)]
pub struct Settings {
    /// `[server] root_url`: where browsers find it. A path in it is the sub-path.
    pub root_url: String,
    /// `auth_url`: where browsers sign in.
    pub authorize_url: String,
    /// `token_url`, asked by Grafana itself.
    pub token_url: String,
    /// `api_url`, the userinfo endpoint, asked by Grafana itself; `None` means not set.
    pub userinfo_url: Option<String>,
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: String,
    /// `scopes`.
    pub scopes: Vec<String>,
    /// What decides about roles.
    pub role: RoleSettings,
    /// `[auth] signout_redirect_url`: where browsers go after a sign-out; without it to the login page.
    pub signout_redirect_url: Option<String>,
    /// `use_pkce`.
    pub use_pkce: bool,
    /// `auto_login`: the login page sends browsers straight to the provider.
    pub auto_login: bool,
    /// `name` on the login page's button.
    pub name: String,
    /// `login_attribute_path`, JMESPath; empty means not set. Without it the claims `login` and `username`, then
    /// the email address.
    pub login_attribute_path: String,
    /// `email_attribute_path`, JMESPath, asked when there is no claim `email`; empty means not set.
    pub email_attribute_path: String,
    /// `name_attribute_path`, JMESPath, asked before the claims `name` and `display_name`; empty means not set.
    pub name_attribute_path: String,
    /// `groups_attribute_path`, JMESPath: what `allowed_groups` is compared with. Roles do not look at it.
    pub groups_attribute_path: String,
    /// `allowed_groups`; empty allows everyone.
    pub allowed_groups: Vec<String>,
    /// `allowed_domains` of email addresses; empty allows all.
    pub allowed_domains: Vec<String>,
    /// `allow_sign_up`: users who were never here may come in.
    pub allow_sign_up: bool,
    /// `oauth_allow_insecure_email_lookup`: a user with an unknown `sub` takes the account with their address.
    pub email_lookup: bool,
    /// Whether the access token is the third source of claims, as in Grafana 12 and later.
    pub access_token_claims: bool,
    /// How it remembers where the browser wanted to go.
    pub redirection: Redirection,
    /// `[security] cookie_secure`.
    pub cookie_secure: bool,
    /// Where the provider's hosts listen.
    pub names: Names,
    /// What Grafana trusts when it dials the provider.
    pub tls: Arc<rustls::ClientConfig>,
    /// Where the log lines of `grafana` go.
    pub logs: Logs,
}

/// How Grafana remembers where an anonymous browser wanted to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirection {
    /// `/login?redirectTo=…`, and a cookie `redirectTo` once it goes to the provider: Grafana 12 and later (feature
    /// toggle `useSessionStorageForRedirection`, on by default).
    #[default]
    Query,
    /// A session cookie `redirect_to` and plain `/login`: Grafana 11 and before.
    Cookie,
}

impl Settings {
    /// Settings with Grafana's defaults for everything but where it and the provider are.
    pub fn new(
        root_url: impl Into<String>,
        authorize_url: impl Into<String>,
        token_url: impl Into<String>,
        names: Names,
        tls: Arc<rustls::ClientConfig>,
        logs: Logs,
    ) -> Self {
        Self {
            root_url: root_url.into(),
            authorize_url: authorize_url.into(),
            token_url: token_url.into(),
            userinfo_url: None,
            client_id: String::new(),
            client_secret: String::new(),
            scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
            role: RoleSettings::default(),
            signout_redirect_url: None,
            use_pkce: false,
            auto_login: false,
            name: "OAuth".to_owned(),
            login_attribute_path: String::new(),
            email_attribute_path: String::new(),
            name_attribute_path: String::new(),
            groups_attribute_path: String::new(),
            allowed_groups: Vec::new(),
            allowed_domains: Vec::new(),
            allow_sign_up: true,
            email_lookup: false,
            access_token_claims: true,
            redirection: Redirection::default(),
            cookie_secure: false,
            names,
            tls,
            logs,
        }
    }

    /// The path of the root URL without a slash at its end: what every path of Grafana begins with.
    pub(super) fn sub_path(&self) -> String {
        let path = Url::parse(&self.root_url).map(|url| url.path().to_owned()).unwrap_or_default();
        path.trim_end_matches('/').to_owned()
    }

    /// Where the provider sends browsers back to.
    pub(super) fn redirect_uri(&self) -> String {
        format!("{}/login/generic_oauth", self.root_url.trim_end_matches('/'))
    }
}
