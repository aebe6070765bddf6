//! Reading `deployment.yaml` and proving that its names fit together.

use std::path::Path;

use url::Url;

use crate::model::{Deployment, Domain, Provider, Service};
use crate::source::{Located, Problem, Source, suggestion};

impl Deployment {
    /// Reads the deployment at `path`, a `deployment.yaml` or the folder that holds one.
    ///
    /// # Errors
    /// The first [`Problem`]: unreadable file, unknown or duplicate key, URL that is none, group that is not
    /// listed, Traefik folder or policy file that does not exist.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        let file = if path.is_dir() { path.join("deployment.yaml") } else { path.to_owned() };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self::of(&Source::read(&file)?, folder.unwrap_or(Path::new(".")))
    }

    /// The deployment that `source` states, in `folder`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn of(source: &Source, folder: &Path) -> Result<Self, Problem> {
        let mut deployment: Self = source.yaml()?;
        folder.clone_into(&mut deployment.folder);
        Checker { source, deployment: &deployment }.check()?;
        deployment.share_domains();
        Ok(deployment)
    }

    /// Gives every service of a domain what its provider decides.
    fn share_domains(&mut self) {
        for service in self.services.values_mut() {
            let Some(domain) = service.domain.as_ref().and_then(|name| self.domains.get(&name.value)) else {
                continue;
            };
            service.allow.clone_from(&domain.allow);
            service.in_outpost = domain.in_outpost;
        }
    }

    /// The domain whose provider serves `service`.
    pub fn domain_of(&self, service: &Service) -> Option<&Domain> {
        self.domains.get(&service.domain.as_ref()?.value)
    }

    /// The slug of the application that lets users into `service`, whose own slug is `slug`.
    pub fn application_of<'a>(&self, slug: &'a str, service: &'a Service) -> &'a str {
        service.domain.as_ref().map_or(slug, |domain| domain.as_str())
    }

    /// The URL whose host has the outpost's callback for `service`: its own, or that of its domain.
    pub fn outpost_of<'a>(&'a self, service: &'a Service) -> &'a str {
        self.domain_of(service).map_or(&service.url, |domain| &domain.external_host)
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
            self.domain(service)?;
        }
        for domain in deployment.domains.values() {
            self.origin(&domain.external_host)?;
            self.within(domain, &domain.external_host)?;
            self.groups(&domain.allow)?;
        }
        self.distinct_applications()?;
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

    /// Proves that the domain of a service is one, and that the two do not contradict each other.
    fn domain(&self, service: &Service) -> Result<(), Problem> {
        let Some(name) = &service.domain else { return Ok(()) };
        let domains = &self.deployment.domains;
        let Some(domain) = domains.get(&name.value) else {
            let known: Vec<&String> = domains.keys().collect();
            let problem = self.source.problem(name.place, format!("unknown domain `{}`", **name));
            return Err(problem.with_help(suggestion(name, &known)));
        };
        self.within(domain, &service.url)?;
        match service.allow.first() {
            None => Ok(()),
            Some(group) => Err(self
                .source
                .problem(group.place, format!("domain `{}` decides who gets in here", **name))
                .with_help("one provider serves them all: write `allow` at the domain".to_owned())),
        }
    }

    /// Proves that the browser sends the domain's session to `url`.
    fn within(&self, domain: &Domain, url: &Located<String>) -> Result<(), Problem> {
        let url_read = self.url(url)?;
        let host = url_read.host_str().unwrap_or_default();
        if domain.holds(host) {
            return Ok(());
        }
        let message = format!("`{host}` is not within the cookie domain `{}`", *domain.cookie_domain);
        let help = "browsers would not send it the session; give it a provider of its own".to_owned();
        Err(self.source.problem(url.place, message).with_help(help))
    }

    /// Proves that no slug is taken by two applications.
    fn distinct_applications(&self) -> Result<(), Problem> {
        let deployment = self.deployment;
        let alone = deployment.services.iter().filter(|(_, service)| service.domain.is_none());
        let taken: Vec<&str> = alone.map(|(slug, _)| slug.as_str()).collect();
        for (slug, domain) in &deployment.domains {
            if taken.contains(&slug.as_str()) {
                let message = format!("`{slug}` is a domain and a service with a provider of its own");
                return Err(self.source.problem(domain.external_host.place, message));
            }
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

    const OF_DOMAIN: &str =
        "docs: { title: Docs, url: https://docs.test, upstream: http://docs:80, domain: all }
domains:
  all: { title: All, external_host: https://auth.test, cookie_domain: test, allow: [admins] }
";

    fn with_domain(from: &str, to: &str) -> Result<Deployment, Problem> {
        let own =
            "docs: { title: Docs, url: https://docs.test, upstream: http://docs:80, allow: [admins] }\n";
        deployment(|text| text.replace(own, &OF_DOMAIN.replace(from, to)))
    }

    #[test]
    fn a_service_of_a_domain_has_the_rights_of_the_domain() {
        let deployment = with_domain("", "").expect("loads");
        let docs = &deployment.services["docs"];
        assert_eq!(docs.allow.iter().map(|group| group.as_str()).collect::<Vec<_>>(), ["admins"]);
        assert_eq!(deployment.domain_of(docs).expect("a domain").title, "All");
    }

    #[test]
    fn a_domain_that_there_is_not_is_shown_with_the_nearest() {
        let problem = with_domain("domain: all }", "domain: al }").expect_err("refused");
        assert_eq!(problem.to_string(), "unknown domain `al`");
        assert_eq!(problem.help_line(), Some("did you mean `all`?"));
        assert!(problem.position().expect("place").ends_with("deployment.yaml:10:82"), "{problem:?}");
    }

    #[test]
    fn a_host_outside_the_cookie_domain_is_refused() {
        let problem = with_domain("cookie_domain: test", "cookie_domain: docs.test").expect_err("refused");
        assert_eq!(problem.to_string(), "`auth.test` is not within the cookie domain `docs.test`");
        let problem = with_domain("cookie_domain: test", "cookie_domain: est").expect_err("refused");
        assert_eq!(problem.to_string(), "`docs.test` is not within the cookie domain `est`");
    }

    #[test]
    fn a_service_of_a_domain_says_nothing_of_who_gets_in() {
        let problem = with_domain("domain: all }", "domain: all, allow: [admins] }").expect_err("refused");
        assert_eq!(problem.to_string(), "domain `all` decides who gets in here");
    }

    #[test]
    fn a_domain_and_a_service_cannot_share_a_slug() {
        let lonely =
            "wiki: { title: Wiki, url: https://wiki.test, upstream: http://wiki:80 }\ndomains:\n  wiki:";
        let problem = with_domain("domains:\n  all:", &format!("  {lonely}")).expect_err("refused");
        assert!(problem.to_string().starts_with("unknown domain `all`"), "{problem}");
        let problem = with_domain("domain: all }\ndomains:\n  all:", &format!("domain: wiki }}\n  {lonely}"));
        let problem = problem.expect_err("refused").to_string();
        assert_eq!(problem, "`wiki` is a domain and a service with a provider of its own");
    }
}
