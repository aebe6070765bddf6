//! The apps that sign in with OpenID Connect, and their providers in Authentik.

use regex::Regex;
use ssoproof_deployment::SigningKey;
use ssoproof_deployment::traefik::At;

use super::settings::Said;
use super::subject::Subject;
use super::{grafana, minio};

/// An app with its provider.
#[derive(Clone, Debug)]
pub(super) struct App {
    /// `Grafana` or `MinIO`.
    pub(super) name: &'static str,
    /// The application's slug.
    pub(super) slug: String,
    /// The provider's client id.
    pub(super) client_id: String,
    /// Where the app comes back.
    pub(super) callback: Said,
    /// Whether a file says so; else it follows from the app's URL.
    pub(super) callback_is_said: bool,
    /// Where the provider lets it come back.
    pub(super) redirect_uris: Vec<RedirectUri>,
    /// Where it stands that the provider has no signing key.
    pub(super) unsigned: Option<Option<At>>,
    /// Where it stands that the provider has an encryption key.
    pub(super) encrypted: Option<Option<At>>,
    /// Where the provider stands.
    pub(super) at: Option<At>,
}

/// A redirect URI of a provider.
#[derive(Clone, Debug)]
pub(super) struct RedirectUri {
    pub(super) said: Said,
    pub(super) matching: Match,
}

/// How a redirect URI is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Strict,
    Regex,
}

impl RedirectUri {
    /// Whether `uri` is let through: a pattern has to match all of it.
    pub(super) fn takes(&self, uri: &str) -> bool {
        match self.matching {
            Match::Strict => self.said.value == uri,
            Match::Regex => {
                Regex::new(&format!("^(?:{})$", self.said.value)).is_ok_and(|pattern| pattern.is_match(uri))
            }
        }
    }
}

impl Subject {
    /// The client id of Grafana's provider.
    pub(super) fn grafana_client(&self) -> &str {
        self.deployment.apps.grafana.as_ref().map_or("", |app| app.provider.client_id.as_str())
    }

    /// The apps of the deployment; what is set up in Authentik, where that is given, goes before what is promised.
    pub(super) fn apps(&self) -> Vec<App> {
        let grafana = self.deployment.apps.grafana.as_ref().map(|app| {
            let root = self.grafana.as_ref().and_then(|known| known.root_url.clone());
            let said = root.is_some();
            let root =
                root.unwrap_or_else(|| Said::new(app.url.value.clone(), self.stated_at(app.url.place)));
            let callback =
                Said::new(format!("{}{}", root.value.trim_end_matches('/'), grafana::CALLBACK), root.at);
            self.app("Grafana", &app.provider, callback, said)
        });
        let minio = self.deployment.apps.minio.as_ref().map(|app| {
            let uri = self.minio.as_ref().and_then(|known| known.redirect_uri.clone());
            let said = uri.is_some();
            let own = || Said::new(format!("{}{}", *app.url, minio::CALLBACK), self.stated_at(app.url.place));
            self.app("MinIO", &app.provider, uri.unwrap_or_else(own), said)
        });
        grafana.into_iter().chain(minio).collect()
    }

    fn app(
        &self,
        name: &'static str,
        promised: &ssoproof_deployment::Provider,
        callback: Said,
        said: bool,
    ) -> App {
        let uri = |uri: &ssoproof_deployment::Located<String>| RedirectUri {
            said: Said::new(uri.value.clone(), self.stated_at(uri.place)),
            matching: Match::Strict,
        };
        let unsigned = (promised.signing_key.value == SigningKey::None)
            .then(|| self.stated_at(promised.signing_key.place));
        let mut app = App {
            name,
            slug: promised.slug.value.clone(),
            client_id: promised.client_id.clone(),
            callback,
            callback_is_said: said,
            redirect_uris: promised.redirect_uris.iter().map(uri).collect(),
            unsigned,
            encrypted: None,
            at: self.stated_at(promised.slug.place),
        };
        if let Some(found) = self.blueprint.as_ref().and_then(|known| known.provider_of(&promised.client_id))
        {
            app.redirect_uris.clone_from(&found.redirect_uris);
            app.unsigned = found.signing_key.is_none().then(|| Some(found.at.clone()));
            app.encrypted = found.encryption_key.clone().map(Some);
            app.at = Some(found.at.clone());
        }
        app
    }
}
