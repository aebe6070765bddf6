//! What the doctor looks at.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ssoproof_deployment::traefik::{
    Action, At, Dynamic, EntryPoint, ForwardAuth, MiddlewareDefinition, Profile, Router, Witness, unqualified,
};
use ssoproof_deployment::{Deployment, Place, Problem, Source};
use url::Url;

use super::blueprint::Blueprint;
use super::finding::at;
use super::grafana::GrafanaSettings;
use super::minio::MinioSettings;
use super::proof::Asked;
use super::redirects;
use super::settings::Settings;
use super::static_config::StaticConfig;
use crate::infer;
use crate::routing::Routing;
use crate::stacks::{host_and_port, host_of};

/// The outpost's way back, which has to reach it on every protected host.
pub(super) const PING: &str = "/outpost.goauthentik.io/ping";

/// What is given to the doctor.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// `deployment.yaml`, or the folder that holds it.
    pub deployment: Option<PathBuf>,
    /// The folder of Traefik's file provider; the deployment's when left out.
    pub traefik: Option<PathBuf>,
    /// Hosts that have to be protected, beside those that the files protect.
    pub hosts: Vec<String>,
    /// Routers that are meant to be open, by their names.
    pub open: Vec<String>,
    /// Traefik's version; the deployment's, or 3.6, when left out.
    pub traefik_version: Option<String>,
    /// Traefik's static configuration.
    pub static_config: Option<PathBuf>,
    /// Grafana's settings: an env file with `GF_*`, or `grafana.ini`.
    pub grafana: Option<PathBuf>,
    /// MinIO's settings: an env file with `MINIO_*`.
    pub minio: Option<PathBuf>,
    /// A blueprint of Authentik, or what its API says.
    pub authentik: Option<PathBuf>,
    /// A Traefik on which findings are tried in place of the embedded gateway.
    pub traefik_bin: Option<PathBuf>,
}

/// What the doctor looks at.
pub struct Subject {
    /// What is promised; inferred from the files where no deployment is given.
    pub deployment: Deployment,
    /// `deployment.yaml`, where one is given.
    pub stated: Option<Source>,
    /// The folder of Traefik's file provider.
    pub folder: PathBuf,
    /// The routers in force, where Traefik takes the files.
    pub(super) routing: Option<Routing>,
    /// What keeps Traefik from taking any file.
    pub(super) refused: Vec<Problem>,
    /// Traefik's static configuration, where it is given.
    pub(super) static_config: Option<StaticConfig>,
    /// Grafana's settings, where they are given.
    pub(super) grafana: Option<GrafanaSettings>,
    /// MinIO's settings, where they are given.
    pub(super) minio: Option<MinioSettings>,
    /// What is set up in Authentik, where it is given.
    pub(super) blueprint: Option<Blueprint>,
    /// Routers that are meant to be open.
    open: Vec<String>,
    /// A Traefik to try findings on, where one is given.
    pub(super) traefik_bin: Option<PathBuf>,
}

impl Subject {
    /// Reads everything.
    ///
    /// # Errors
    /// The first [`Problem`] outside the Traefik files: those of the files are findings.
    pub fn read(inputs: &Inputs) -> Result<Self, Problem> {
        let (mut deployment, stated) = match &inputs.deployment {
            None => (None, None),
            Some(path) => {
                let file = if path.is_dir() { path.join("deployment.yaml") } else { path.clone() };
                (Some(Deployment::load(path)?), Some(Source::read(&file)?))
            }
        };
        if let (Some(deployment), Some(version)) = (&mut deployment, &inputs.traefik_version) {
            deployment.versions.traefik.clone_from(version);
        }
        let own = deployment.as_ref().map(|known| known.folder.join(&known.traefik.dynamic.value));
        let Some(folder) = inputs.traefik.clone().or(own) else {
            let problem = Problem::new(
                "nothing to look at: there is neither a deployment nor a folder of Traefik files",
            );
            return Err(problem.with_help("name a deployment, or a folder with `--traefik DIR`".to_owned()));
        };
        let static_config = inputs.static_config.as_deref().map(StaticConfig::read).transpose()?;
        let version = deployment.as_ref().map(|known| known.versions.traefik.clone());
        let version = version.or_else(|| inputs.traefik_version.clone()).unwrap_or_else(|| "3.6".to_owned());
        let profile = Profile::for_version(&version);
        let (dynamic, refused) = infer::read(&folder, profile)?;
        let inferred = deployment.is_none();
        let mut deployment = deployment.unwrap_or_else(|| {
            let none = Dynamic::default();
            infer::deployment(dynamic.as_ref().unwrap_or(&none), &folder, &inputs.hosts, &version, &|port| {
                static_config.as_ref().and_then(|fixed| fixed.on_port(port).map(str::to_owned))
            })
        });
        if !inferred && let Some(dynamic) = &dynamic {
            let missing = inputs
                .hosts
                .iter()
                .filter(|host| !deployment.hosts().contains(host))
                .cloned()
                .collect::<Vec<_>>();
            if !missing.is_empty() {
                let more = infer::deployment(dynamic, &folder, &missing, &version, &|_| None);
                let added = more
                    .services
                    .into_iter()
                    .filter(|(_, one)| missing.iter().any(|host| one.url.ends_with(host.as_str())));
                deployment.services.extend(added);
            }
        }
        let names = deployment.traefik.entry_points.clone();
        let entry = |entry: EntryPoint, usual: bool| match &static_config {
            Some(fixed) => EntryPoint { tls: fixed.is_tls(&entry.name), ..entry },
            None => EntryPoint { tls: entry.tls || usual, ..entry },
        };
        let [plain, secure] = names.both();
        let entry_points = [entry(plain, false), entry(secure, inferred && infer::is_secure(&names.https))];
        let routing = dynamic.map(|dynamic| Routing::of(&deployment, &folder, dynamic, entry_points));
        let settings = |path: &Option<PathBuf>, ini: &str| -> Result<Option<Settings>, Problem> {
            path.as_deref().map(|path| Settings::read(path, ini)).transpose()
        };
        let grafana = GrafanaSettings::of(stated.as_ref(), &deployment, settings(&inputs.grafana, "GF")?);
        let minio = MinioSettings::of(stated.as_ref(), &deployment, settings(&inputs.minio, "MINIO")?);
        let blueprint = inputs.authentik.as_deref().map(Blueprint::read).transpose()?;
        Ok(Self {
            deployment,
            stated,
            folder,
            routing,
            refused,
            static_config,
            grafana,
            minio,
            blueprint,
            open: inputs.open.clone(),
            traefik_bin: inputs.traefik_bin.clone(),
        })
    }

    /// What the files define, once Traefik takes them.
    pub(super) fn dynamic(&self) -> Option<&Dynamic> {
        self.routing.as_ref().map(|routing| routing.config().dynamic.as_ref())
    }

    /// Every host behind forward auth with the slug of its service.
    pub(super) fn protected(&self) -> Vec<(String, &str)> {
        let services = self.deployment.services.iter();
        services.filter_map(|(slug, service)| Some((host_of(&service.url)?, slug.as_str()))).collect()
    }

    /// Whether the service called `slug`, at `host`, is behind a provider for a whole domain, whose way back from the login
    /// is at one host for all of them.
    pub(super) fn is_domain_level(&self, host: &str, slug: &str) -> bool {
        let set_up = self.blueprint.as_ref().and_then(|blueprint| blueprint.proxy_for(host));
        match set_up {
            Some(proxy) => proxy.mode == "forward_domain",
            None => self.deployment.services.get(slug).is_some_and(|service| service.domain.is_some()),
        }
    }

    /// Whether `host` is one that people or programs use: protected, Authentik's or an app's.
    pub(super) fn is_ours(&self, host: &str) -> bool {
        self.deployment.hosts().iter().any(|ours| ours.eq_ignore_ascii_case(host))
    }

    /// The host of Authentik.
    pub(super) fn auth_host(&self) -> Option<String> {
        host_of(&self.deployment.auth.url)
    }

    /// Every host that the files or the deployment name.
    pub(super) fn hosts(&self) -> BTreeSet<String> {
        let named = self.dynamic().into_iter().flat_map(|dynamic| dynamic.routers.values());
        let named = named.flat_map(|router| infer::hosts_of(router));
        named.chain(self.deployment.hosts()).collect()
    }

    /// Where Authentik is, as the gateway reaches it.
    pub(super) fn upstream(&self) -> Option<(String, u16)> {
        host_and_port(&self.deployment.auth.upstream)
    }

    /// A URL of `host` with `path`, by the scheme that the deployment has for the host.
    pub(super) fn url(&self, host: &str, path: &str) -> Option<Url> {
        let mut services =
            self.deployment.services.values().filter(|service| service.url.starts_with("http://"));
        let plain = services.any(|service| host_of(&service.url).as_deref() == Some(host));
        Url::parse(&format!("{}://{host}{path}", if plain { "http" } else { "https" })).ok()
    }

    /// What the router is, when nothing can be said of it: it is on an entry point that may be there and is not looked
    /// at, or it serves what Traefik makes itself.
    pub(super) fn is_beyond(&self, router: &Router) -> Option<String> {
        let name = unqualified(&router.name);
        let service = router.definition.service.as_ref().map_or("", |service| service.as_str());
        if service.ends_with("@internal") && service != "noop@internal" {
            return Some(format!("router `{name}` of service {service} at {}", router.at()));
        }
        let known = |entry: &str| match (&self.static_config, &self.stated) {
            (Some(fixed), _) => fixed.entry_points.contains_key(entry),
            (None, stated) => stated.is_none(),
        };
        let mut others = router.entry_points.iter().filter(|entry| !router.using.contains(entry));
        let other = others.find(|entry| known(entry))?;
        Some(format!("router `{name}` on entry point `{other}` at {}", router.at()))
    }

    /// Whether the router forwards to Authentik.
    pub(super) fn leads_to_authentik(&self, router: &Router) -> bool {
        let upstream = self.upstream();
        router.service.as_ref().is_some_and(|service| {
            service.servers.iter().any(|server| host_and_port(server.url.as_str()) == upstream)
        })
    }

    /// Whether the router lets requests through to a service without asking, and is not meant to.
    pub(super) fn is_open(&self, router: &Router) -> bool {
        let meant = self.open.iter().any(|name| unqualified(name) == unqualified(&router.name));
        !meant && serves(router) && !is_guarded(router) && !self.leads_to_authentik(router)
    }

    /// A place in `deployment.yaml`, where there is one.
    pub(super) fn stated_at(&self, place: Place) -> Option<At> {
        Some(at(self.stated.as_ref()?, place))
    }

    /// The middlewares of type forward auth that a protected host's routers run, with their settings.
    pub(super) fn forward_auths(&self) -> Vec<(&str, &MiddlewareDefinition, &ForwardAuth)> {
        let Some(dynamic) = self.dynamic() else { return Vec::new() };
        let found = dynamic.middlewares.iter().filter_map(|(name, definition)| {
            let auth = infer::forward_auth(dynamic, name)?;
            Some((name.as_str(), definition.as_ref(), auth))
        });
        found.collect()
    }

    /// A request of a protected host whose router runs the middleware `name`, plainest first.
    pub(super) fn through(&self, name: &str) -> Option<Asked> {
        let routing = self.routing.as_ref()?;
        let name = format!("{name}@file");
        for (host, _) in self.protected() {
            for secure in [true, false] {
                for router in routing.of_host(&host, secure) {
                    if !router.runs(&name) {
                        continue;
                    }
                    if let Some(asked) = self.won_by(router, &host, secure) {
                        return Some(asked);
                    }
                }
            }
        }
        None
    }

    /// A request of `host` that `router` takes from all others, and does not redirect where it serves any.
    pub(super) fn won_by(&self, router: &Router, host: &str, secure: bool) -> Option<Asked> {
        let won = self.all_won_by(router, host, secure);
        let served = won.iter().find(|asked| redirects::target(router, &asked.url).is_none());
        served.or(won.first()).cloned()
    }

    /// Requests of `host` that `router` takes from all others, the plainest first.
    pub(super) fn all_won_by(&self, router: &Router, host: &str, secure: bool) -> Vec<Asked> {
        let (Some(routing), Some(rule)) = (&self.routing, &router.rule) else { return Vec::new() };
        let plain = ["/", redirects::SOMEWHERE].map(|path| Witness::get(host, path));
        let witnesses = rule.witnesses(Some(host));
        let asked = plain.iter().chain(&witnesses).filter_map(|witness| Asked::of(witness, secure));
        let won = asked.filter(|asked| {
            let winner = routing.winner(&asked.url, &asked.method, &asked.headers);
            winner.is_some_and(|winner| winner.name == router.name)
        });
        won.collect()
    }
}

/// Whether a router asks before it lets a request pass.
pub(super) fn is_guarded(router: &Router) -> bool {
    router.steps.iter().any(|step| matches!(step.action, Action::ForwardAuth { .. }))
}

/// Whether requests of the router can reach a service at all.
pub(super) fn serves(router: &Router) -> bool {
    let answers = router.service.as_ref().is_some_and(|service| !service.servers.is_empty());
    answers && !redirects::always(router)
}
