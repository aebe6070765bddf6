//! The relying parties of the site: Grafana and MinIO as others run them, here the embedded ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::ClientConfig;
use ssoproof_deployment::Deployment;
use ssoproof_embedded::dial::Names;
use ssoproof_embedded::grafana::role::RoleSettings;
use ssoproof_embedded::grafana::{self, Grafana};
use ssoproof_embedded::logs::Logs;
use ssoproof_embedded::minio::policy::PolicyDocument;
use ssoproof_embedded::minio::{self, ConsoleVariant, Minio, OpenId};

/// The client secret of both.
pub(crate) const CLIENT_SECRET: &str = "client-Passw0rd!";

/// The running relying parties.
pub(crate) struct Apps {
    pub(crate) grafana: Grafana,
    pub(crate) minio: Minio,
}

impl Apps {
    /// Starts them; they dial the deployment's hosts as `names` and `tls` say.
    pub(crate) async fn start(deployment: &Deployment, names: &Names, tls: &Arc<ClientConfig>) -> Self {
        let base = &deployment.auth.url.value;
        let app = deployment.apps.grafana.as_ref().unwrap();
        let endpoint = |name: &str| format!("{base}/application/o/{name}/");
        let mut settings = grafana::Settings::new(
            app.url.value.clone(),
            endpoint("authorize"),
            endpoint("token"),
            names.clone(),
            tls.clone(),
            Logs::default(),
        );
        settings.userinfo_url = Some(endpoint("userinfo"));
        settings.client_id = app.provider.client_id.clone();
        settings.client_secret = CLIENT_SECRET.to_owned();
        settings.scopes = app.provider.scopes.iter().map(|scope| scope.value.clone()).collect();
        settings.role =
            RoleSettings { attribute_path: app.role_attribute_path.value.clone(), ..RoleSettings::default() };
        settings.signout_redirect_url = app.signout_redirect_url.as_ref().map(|url| url.value.clone());
        settings.cookie_secure = true;
        settings.login_attribute_path = "preferred_username".to_owned();
        let grafana = Grafana::start(settings).await.unwrap();

        let app = deployment.apps.minio.as_ref().unwrap();
        let policy = |(name, file): (&String, &ssoproof_deployment::Located<std::path::PathBuf>)| {
            let text = std::fs::read_to_string(deployment.folder.join(&file.value)).unwrap();
            (name.clone(), PolicyDocument::parse(&text).unwrap())
        };
        let settings = minio::Settings {
            openid: OpenId {
                config_url: endpoint(&format!("{}/.well-known", *app.provider.slug))
                    .replace("/.well-known/", "/.well-known/openid-configuration"),
                client_id: app.provider.client_id.clone(),
                client_secret: CLIENT_SECRET.to_owned(),
                claim_name: app.claim_name.value.clone(),
                scopes: "openid,profile,email".to_owned(),
                redirect_uri: app.provider.redirect_uris.first().map(|uri| uri.value.clone()),
                ..OpenId::default()
            },
            policies: app.policies.iter().map(policy).collect::<BTreeMap<_, _>>(),
            root_user: "root".to_owned(),
            root_password: "root-Passw0rd!".to_owned(),
            buckets: app.buckets.clone(),
            console: ConsoleVariant::Sso,
            names: names.clone(),
            tls: tls.clone(),
            logs: Logs::default(),
        };
        let minio = Minio::start_at([127, 0, 0, 1].into(), settings).await.unwrap();
        Self { grafana, minio }
    }
}
