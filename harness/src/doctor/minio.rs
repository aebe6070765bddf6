//! MinIO's settings, from a file of theirs or from the deployment.

use ssoproof_deployment::traefik::At;
use ssoproof_deployment::{Deployment, Source};
use ssoproof_embedded::minio::OpenId;

use super::finding::at;
use super::settings::{Said, Settings};

/// The way back from the login, at the console.
pub(super) const CALLBACK: &str = "/oauth_callback";
/// What the variables begin with.
const PREFIX: &str = "MINIO_IDENTITY_OPENID_";
/// What MinIO knows behind that; a name may follow for a further provider.
const KNOWN: [&str; 17] = [
    "CONFIG_URL",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "CLAIM_NAME",
    "CLAIM_PREFIX",
    "CLAIM_USERINFO",
    "SCOPES",
    "REDIRECT_URI",
    "REDIRECT_URI_DYNAMIC",
    "ROLE_POLICY",
    "DISPLAY_NAME",
    "VENDOR",
    "KEYCLOAK_REALM",
    "KEYCLOAK_ADMIN_URL",
    "COMMENT",
    "ENABLE",
    "JWKS_URL",
];

/// MinIO's settings.
#[derive(Clone, Debug)]
pub(super) struct MinioSettings {
    /// `CONFIG_URL`, when a file says it.
    pub(super) config_url: Option<Said>,
    /// `CLAIM_NAME`.
    pub(super) claim_name: Option<Said>,
    /// `SCOPES`.
    pub(super) scopes: Option<Said>,
    /// `REDIRECT_URI`, when a file says it.
    pub(super) redirect_uri: Option<Said>,
    /// `ROLE_POLICY`, when a file says it.
    pub(super) role_policy: Option<Said>,
    /// The provider as MinIO has it.
    pub(super) openid: OpenId,
    /// Variables that MinIO does not know.
    pub(super) unknown: Vec<(String, At)>,
    /// Where the settings begin.
    pub(super) at: Option<At>,
}

impl MinioSettings {
    /// What `file` says, and what the deployment says where there is none.
    pub(super) fn of(
        stated: Option<&Source>,
        deployment: &Deployment,
        file: Option<Settings>,
    ) -> Option<Self> {
        let app = deployment.apps.minio.as_ref();
        if app.is_none() && file.is_none() {
            return None;
        }
        let get = |name: &str| file.as_ref().and_then(|file| file.get(&format!("{PREFIX}{name}")));
        let own = |text: &ssoproof_deployment::Located<String>| {
            Said::new(text.value.clone(), stated.map(|source| at(source, text.place)))
        };
        let app_alone = app.filter(|_| file.is_none());
        let claim_name = get("CLAIM_NAME").or_else(|| app_alone.map(|app| own(&app.claim_name)));
        let scopes = get("SCOPES").or_else(|| {
            let scopes = &app_alone?.provider.scopes;
            let listed: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            Some(Said::new(
                listed.join(","),
                stated.map(|source| at(source, scopes.first().map(|one| one.place).unwrap_or_default())),
            ))
        });
        let client = get("CLIENT_ID").map(|said| said.value);
        let text = |said: &Option<Said>| said.as_ref().map(|said| said.value.clone()).unwrap_or_default();
        let role_policy = get("ROLE_POLICY");
        let userinfo = file.as_ref().and_then(|file| file.flag(&format!("{PREFIX}CLAIM_USERINFO")));
        let openid = OpenId {
            client_id: client.or_else(|| Some(app?.provider.client_id.clone())).unwrap_or_default(),
            claim_name: text(&claim_name),
            scopes: text(&scopes),
            role_policy: role_policy.as_ref().map(|said| said.value.clone()),
            claim_userinfo: userinfo.is_some_and(|(on, _)| on),
            ..OpenId::default()
        };
        let known = |name: &str| {
            let rest = name.trim_start_matches(PREFIX);
            KNOWN.iter().any(|known| {
                rest == *known || rest.strip_prefix(known).is_some_and(|more| more.starts_with('_'))
            })
        };
        let unknown = file.iter().flat_map(|file| file.beginning(PREFIX)).filter(|(name, _)| !known(name));
        Some(Self {
            config_url: get("CONFIG_URL"),
            redirect_uri: get("REDIRECT_URI"),
            unknown: unknown.map(|(name, at)| (name.to_owned(), at)).collect(),
            at: file.as_ref().and_then(|file| file.beginning(PREFIX).next()).map(|(_, at)| at),
            claim_name,
            scopes,
            role_policy,
            openid,
        })
    }

    /// The names that MinIO takes, for a suggestion.
    pub(super) fn known() -> Vec<String> {
        KNOWN.iter().map(|name| format!("{PREFIX}{name}")).collect()
    }
}
