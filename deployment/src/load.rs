//! Reading `deployment.yaml` and proving that its names fit together.

use std::path::Path;

use url::Url;

use crate::model::{Deployment, Provider};
use crate::source::{Located, Problem, Source, suggestion};

impl Deployment {
    /// Reads the deployment at `path`, a `deployment.yaml` or the folder that holds one.
    ///
    /// # Errors
    /// The first [`Problem`]: unreadable file, unknown or duplicate key, URL that is none, group that is not
    /// listed, Traefik folder or policy file that does not exist.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        let file = if path.is_dir() { path.join("deployment.yaml") } else { path.to_owned() };
        let source = Source::read(&file)?;
        let mut deployment: Self = source.yaml()?;
        deployment.folder = file.parent().unwrap_or(Path::new("")).to_owned();
        Checker { source: &source, deployment: &deployment }.check()?;
        Ok(deployment)
    }

    /// Every public host of the deployment, with what it is.
    pub fn hosts(&self) -> Vec<String> {
        let services = self.services.values().map(|service| &service.url);
        let grafana = self.apps.grafana.iter().map(|app| &app.url);
        let minio = self.apps.minio.iter().flat_map(|app| [&app.url, &app.api_url]);
        std::iter::once(&self.auth.url)
            .chain(services)
            .chain(grafana)
            .chain(minio)
            .filter_map(|url| Some(Url::parse(url).ok()?.host_str()?.to_owned()))
            .collect()
    }

    /// The relying parties' sides in Authentik, with the names of the apps.
    pub fn providers(&self) -> Vec<(&'static str, &Provider)> {
        let grafana = self.apps.grafana.iter().map(|app| ("grafana", &app.provider));
        let minio = self.apps.minio.iter().map(|app| ("minio", &app.provider));
        grafana.chain(minio).collect()
    }
}

struct Checker<'a> {
    source: &'a Source,
    deployment: &'a Deployment,
}

impl Checker<'_> {
    fn check(&self) -> Result<(), Problem> {
        let deployment = self.deployment;
        self.origin(&deployment.auth.url)?;
        self.url(&deployment.auth.upstream)?;
        self.url(&deployment.auth.logout_url)?;
        for service in deployment.services.values() {
            self.origin(&service.url)?;
            self.url(&service.upstream)?;
            self.groups(&service.allow)?;
        }
        for persona in deployment.personas.values() {
            self.groups(&persona.groups)?;
        }
        self.apps()?;
        self.distinct_usernames()?;
        self.exists(&deployment.traefik.dynamic)?;
        if !deployment.traefik.middleware.contains('@') {
            let place = deployment.traefik.middleware.place;
            return Err(self
                .source
                .problem(place, "middleware without a provider")
                .with_help(format!("write `{}@file`", *deployment.traefik.middleware)));
        }
        if deployment.headers.group_separator.is_empty() {
            return Err(self
                .source
                .problem(deployment.headers.group_separator.place, "empty group separator"));
        }
        Ok(())
    }

    fn apps(&self) -> Result<(), Problem> {
        if let Some(grafana) = &self.deployment.apps.grafana {
            self.origin(&grafana.url)?;
            self.url(&grafana.upstream)?;
            self.provider(&grafana.provider)?;
            if let Some(url) = &grafana.signout_redirect_url {
                self.url(url)?;
            }
        }
        if let Some(minio) = &self.deployment.apps.minio {
            self.origin(&minio.url)?;
            self.origin(&minio.api_url)?;
            self.url(&minio.upstream)?;
            self.url(&minio.api_upstream)?;
            self.provider(&minio.provider)?;
            minio.policies.values().try_for_each(|file| self.exists(file))?;
        }
        Ok(())
    }

    fn provider(&self, provider: &Provider) -> Result<(), Problem> {
        provider.redirect_uris.iter().try_for_each(|uri| self.url(uri).map(drop))
    }

    fn distinct_usernames(&self) -> Result<(), Problem> {
        let mut seen = std::collections::BTreeSet::new();
        for persona in self.deployment.personas.values() {
            if !seen.insert(persona.username.to_lowercase()) {
                let message = format!("two personas with the username `{}`", *persona.username);
                return Err(self.source.problem(persona.username.place, message));
            }
        }
        Ok(())
    }

    fn groups(&self, names: &[Located<String>]) -> Result<(), Problem> {
        let known: Vec<&str> = self.deployment.groups.iter().map(|group| group.as_str()).collect();
        match names.iter().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(self
                .source
                .problem(name.place, format!("unknown group `{}`", **name))
                .with_help(suggestion(name, &known))),
        }
    }

    fn exists(&self, path: &Located<std::path::PathBuf>) -> Result<(), Problem> {
        let whole = self.deployment.folder.join(&path.value);
        if whole.exists() {
            return Ok(());
        }
        Err(self.source.problem(path.place, format!("`{}` does not exist", whole.display())))
    }

    fn url(&self, text: &Located<String>) -> Result<Url, Problem> {
        let wrong =
            |reason: String| self.source.problem(text.place, format!("`{}` is no URL: {reason}", **text));
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        match url.host_str() {
            Some(_) => Ok(url),
            None => Err(wrong("it has no host".to_owned())),
        }
    }

    /// A URL that is scheme and host alone, so that paths can be written behind it.
    fn origin(&self, text: &Located<String>) -> Result<(), Problem> {
        let url = self.url(text)?;
        if url.path() != "/" || text.ends_with('/') || url.query().is_some() || url.fragment().is_some() {
            return Err(self
                .source
                .problem(text.place, format!("`{}` has more than scheme and host", **text))
                .with_help(format!("write `{}`", url.origin().ascii_serialization())));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(edit: impl Fn(&str) -> String) -> Result<Deployment, Problem> {
        let folder = tempfile::tempdir().expect("temporary folder");
        std::fs::create_dir(folder.path().join("traefik")).expect("folder");
        let text = edit(SMALL);
        std::fs::write(folder.path().join("deployment.yaml"), text).expect("written");
        Deployment::load(folder.path())
    }

    const SMALL: &str = "name: Small
auth: { url: https://auth.test, upstream: http://authentik:9000, logout_url: https://auth.test/if/flow/out/ }
traefik: { dynamic: traefik, middleware: authentik@file, outpost_router: outpost }
headers: { group_separator: '|', identity: [X-authentik-username] }
versions: { authentik: '2026.2', traefik: '3.6', postgres: '16', redis: '7' }
groups: [admins, studio]
personas:
  ada: { username: ada, name: Ada, email: ada@test, groups: [admins] }
services:
  docs: { title: Docs, url: https://docs.test, upstream: http://docs:80, allow: [admins] }
requirements: { LOGIN-1: sends to login }
";

    #[test]
    fn a_whole_deployment_loads() {
        let deployment = deployment(str::to_owned).expect("loads");
        assert_eq!(deployment.hosts(), ["auth.test", "docs.test"]);
    }

    #[test]
    fn an_unknown_group_is_shown_at_its_place_with_the_nearest() {
        let problem =
            deployment(|text| text.replace("groups: [admins] }", "groups: [admin] }")).expect_err("refused");
        assert_eq!(problem.to_string(), "unknown group `admin`");
        assert!(
            problem.position().expect("place").ends_with("deployment.yaml:8:62"),
            "{:?}",
            problem.position()
        );
        assert_eq!(problem.help_line(), Some("did you mean `admins`?"));
    }

    #[test]
    fn a_misspelt_key_is_shown_with_the_nearest() {
        let problem = deployment(|text| text.replace("middleware:", "midleware:")).expect_err("refused");
        assert_eq!(problem.to_string(), "unknown key `midleware`");
        assert_eq!(problem.help_line(), Some("did you mean `middleware`?"));
        assert!(
            problem.position().expect("place").contains("deployment.yaml:3:"),
            "{:?}",
            problem.position()
        );
    }

    #[test]
    fn a_duplicate_key_is_refused() {
        let problem =
            deployment(|text| text.replace("name: Small", "name: Small\nname: Large")).expect_err("refused");
        assert_eq!(problem.to_string(), "duplicate key `name`");
    }

    #[test]
    fn a_service_url_with_a_path_is_refused() {
        let problem = deployment(|text| text.replace("https://docs.test,", "https://docs.test/x,"))
            .expect_err("refused");
        assert_eq!(problem.help_line(), Some("write `https://docs.test`"));
    }
}
