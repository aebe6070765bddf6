//! A deployment as the Traefik files alone tell of it, for files that come without one: the doctor's, and `init`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;
use ssoproof_deployment::traefik::{
    Dynamic, ForwardAuth, MiddlewareType, Profile, RouterDefinition, Rule, ServiceType, dynamic_files,
    unqualified,
};
use ssoproof_deployment::{
    Apps, Auth, Deployment, EntryPoints, Headers, Located, Persona, Problem, Service, Source, Traefik,
    Versions,
};
use url::Url;

use crate::stacks::host_and_port;

/// The identity headers that Authentik's documentation lists for Traefik.
pub(crate) const IDENTITY: [&str; 12] = [
    "X-authentik-username",
    "X-authentik-groups",
    "X-authentik-entitlements",
    "X-authentik-email",
    "X-authentik-name",
    "X-authentik-uid",
    "X-authentik-jwt",
    "X-authentik-meta-jwks",
    "X-authentik-meta-outpost",
    "X-authentik-meta-provider",
    "X-authentik-meta-app",
    "X-authentik-meta-version",
];

/// The entry point that the static configuration has on a port, where it is known.
pub(crate) type OnPort<'a> = &'a dyn Fn(u16) -> Option<String>;

/// The group of the user who signs in.
const GROUP: &str = "doctor";
/// What stands for Authentik where the files do not name it.
const NOBODY: &str = "http://authentik.invalid:9000";

/// A router and the hosts that it names.
type Hosted<'a> = (&'a RouterDefinition, Vec<String>);

/// What the files tell: the protected hosts are those of routers that list a forward auth middleware, or one that
/// there is not, and `hosts`.
pub(crate) fn deployment(
    dynamic: &Dynamic,
    folder: &Path,
    hosts: &[String],
    version: &str,
    on_port: OnPort<'_>,
) -> Deployment {
    let routers: Vec<Hosted<'_>> =
        dynamic.routers.values().map(|router| (router.as_ref(), hosts_of(router))).collect();
    let mut protected: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (router, hosts) in &routers {
        if lists_protection(dynamic, router) && !is_outpost(router) {
            for host in hosts {
                protected.entry(host.clone()).or_insert_with(|| server(dynamic, router));
            }
        }
    }
    for host in hosts {
        let host = host.to_ascii_lowercase();
        let own = routers.iter().find(|(_, hosts)| hosts.contains(&host)).map(|(router, _)| router);
        let served = own.and_then(|router| server(dynamic, router));
        protected.entry(host).or_insert(served);
    }
    let upstream = upstream(dynamic, &routers);
    let auth = auth_host(dynamic, &routers, &upstream, &protected);
    let services = protected.into_iter().map(|(host, upstream)| {
        let slug: String = host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let service = Service {
            title: host.clone(),
            url: Located::nowhere(format!("{}://{host}", scheme(&routers, &host))),
            upstream: Located::nowhere(upstream.unwrap_or_else(|| "http://service.invalid".to_owned())),
            allow: Vec::new(),
            domain: None,
            bridge: None,
            in_outpost: true,
            echo: false,
        };
        (slug, service)
    });
    let persona = Persona {
        username: Located::nowhere("ada".to_owned()),
        name: "Ada".to_owned(),
        email: "ada@example.org".to_owned(),
        groups: vec![Located::nowhere(GROUP.to_owned())],
        active: true,
        grafana_role: None,
        password_env: None,
    };
    Deployment {
        name: folder.display().to_string(),
        default: false,
        auth: Auth::new(&auth, upstream),
        traefik: Traefik {
            dynamic: Located::nowhere(folder.to_owned()),
            middleware: Located::nowhere(middleware(dynamic)),
            outpost_router: Located::nowhere(outpost(dynamic)),
            entry_points: entry_points(dynamic, on_port),
            throttle: None,
        },
        headers: Headers {
            group_separator: Located::nowhere("|".to_owned()),
            identity: IDENTITY.iter().map(|name| Located::nowhere((*name).to_owned())).collect(),
        },
        versions: Versions {
            authentik: "2026.2".to_owned(),
            traefik: version.to_owned(),
            postgres: "16".to_owned(),
            redis: "7".to_owned(),
        },
        images: Default::default(),
        groups: vec![Located::nowhere(GROUP.to_owned())],
        personas: BTreeMap::from([("ada".to_owned(), persona)]),
        services: services.collect(),
        domains: BTreeMap::new(),
        apps: Apps::default(),
        used: Vec::new(),
        requirements: BTreeMap::new(),
        statements: BTreeMap::new(),
        deploys: None,
        allow: Vec::new(),
        folder: Default::default(),
        patch_command: None,
    }
}

/// The hosts that a router names, in lower case; those of a rule that Traefik does not take as well.
pub(crate) fn hosts_of(router: &RouterDefinition) -> Vec<String> {
    let Some(rule) = &router.rule else { return Vec::new() };
    if let Ok(rule) = Rule::parse(rule) {
        return rule.hosts().into_iter().map(str::to_owned).collect();
    }
    let (Ok(calls), Ok(quoted)) = (Regex::new(r"Host\(([^)]*)"), Regex::new("[`\"]([^`\"]+)[`\"]")) else {
        return Vec::new();
    };
    let arguments = calls.captures_iter(rule).filter_map(|call| call.get(1));
    let names = arguments.flat_map(|list| quoted.captures_iter(list.as_str()));
    names.filter_map(|name| Some(name.get(1)?.as_str().to_ascii_lowercase())).collect()
}

/// The forward auth of the middleware `name`, with or without its provider.
pub(crate) fn forward_auth<'a>(dynamic: &'a Dynamic, name: &str) -> Option<&'a ForwardAuth> {
    dynamic.middlewares.get(unqualified(name))?.forward_auth()
}

/// Whether the router's rule is about the outpost's paths.
pub(crate) fn is_outpost(router: &RouterDefinition) -> bool {
    router.rule.as_ref().is_some_and(|rule| rule.contains("/outpost.goauthentik.io"))
}

fn lists_protection(dynamic: &Dynamic, router: &RouterDefinition) -> bool {
    let mut names = router.middlewares.iter().flat_map(|list| list.iter());
    names.any(|name| !dynamic.middlewares.contains_key(unqualified(name))) || is_guarded(dynamic, router)
}

/// Whether the router lists a forward auth middleware, or a chain with one.
pub(crate) fn is_guarded(dynamic: &Dynamic, router: &RouterDefinition) -> bool {
    let mut names = router.middlewares.iter().flat_map(|list| list.iter());
    names.any(|name| {
        let definition = dynamic.middlewares.get(unqualified(name));
        definition.is_some_and(|definition| {
            definition.types.iter().any(|kind| match kind {
                MiddlewareType::ForwardAuth(_) => true,
                MiddlewareType::Chain(names) => {
                    names.iter().any(|name| forward_auth(dynamic, name).is_some())
                }
                _ => false,
            })
        })
    })
}

/// How the host is asked: plain where no router of it answers TLS.
fn scheme(routers: &[Hosted<'_>], host: &str) -> &'static str {
    let own = || routers.iter().filter(|(_, hosts)| hosts.iter().any(|one| one == host));
    let secure = |router: &RouterDefinition| {
        let mut entries = router.entry_points.iter().flat_map(|list| list.iter());
        router.tls.is_some() || router.entry_points.is_none() || entries.any(|entry| is_secure(entry))
    };
    if own().next().is_some() && !own().any(|(router, _)| secure(router)) { "http" } else { "https" }
}

/// The URL of the first server of the router's service.
fn server(dynamic: &Dynamic, router: &RouterDefinition) -> Option<String> {
    let name = router.service.as_ref()?;
    let service = dynamic.services.get(unqualified(name))?;
    service.types.iter().find_map(|kind| match kind {
        ServiceType::LoadBalancer(balancer) => {
            let url = Url::parse(&balancer.servers.first()?.url).ok()?;
            url.host_str()?;
            Some(format!(
                "{}:{}",
                url[..url::Position::BeforePort].trim_end_matches(':'),
                url.port_or_known_default()?
            ))
        }
        ServiceType::Unmodelled(_) => None,
    })
}

/// Where Authentik is: behind the outpost's router, or else where a forward auth asks.
fn upstream(dynamic: &Dynamic, routers: &[Hosted<'_>]) -> String {
    let public: BTreeSet<&str> = routers.iter().flat_map(|(_, hosts)| hosts).map(String::as_str).collect();
    let behind = dynamic.routers.values().filter(|router| is_outpost(router));
    let asked = dynamic.middlewares.keys().filter_map(|name| forward_auth(dynamic, name));
    let asked = asked.filter_map(|auth| {
        let url = Url::parse(&auth.address).ok()?;
        let host = url.host_str()?;
        let port = url.port_or_known_default()?;
        (!public.contains(host)).then(|| format!("{}://{host}:{port}", url.scheme()))
    });
    let mut found = behind.filter_map(|router| server(dynamic, router)).chain(asked);
    found.next().unwrap_or_else(|| NOBODY.to_owned())
}

/// The public URL of Authentik: a host that is routed there, all of it.
fn auth_host(
    dynamic: &Dynamic,
    routers: &[Hosted<'_>],
    upstream: &str,
    protected: &BTreeMap<String, Option<String>>,
) -> String {
    let place = host_and_port(upstream);
    let leads = |router: &RouterDefinition| {
        !is_outpost(router) && server(dynamic, router).and_then(|url| host_and_port(&url)) == place
    };
    let led = routers.iter().filter(|(router, _)| leads(router));
    let host = led.flat_map(|(_, hosts)| hosts).find(|host| !protected.contains_key(*host));
    format!("https://{}", host.map_or("authentik.invalid", String::as_str))
}

fn middleware(dynamic: &Dynamic) -> String {
    let names = dynamic.middlewares.keys().filter(|name| forward_auth(dynamic, name).is_some());
    let listed = |name: &&String| {
        let lists = dynamic.routers.values().filter_map(|router| router.middlewares.as_ref());
        lists.filter(|list| list.iter().any(|one| unqualified(one) == name.as_str())).count()
    };
    let most = names.max_by_key(listed);
    format!("{}@file", most.map_or("authentik", String::as_str))
}

fn outpost(dynamic: &Dynamic) -> String {
    let found = dynamic.routers.iter().find(|(_, router)| is_outpost(router));
    format!("{}@file", found.map_or("authentik-outpost", |(name, _)| name.as_str()))
}

/// The entry points that routers name most often, with TLS and without.
fn entry_points(dynamic: &Dynamic, on_port: OnPort<'_>) -> EntryPoints {
    let mut names = EntryPoints::default();
    let mut counts: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for router in dynamic.routers.values() {
        for name in router.entry_points.iter().flat_map(|list| list.iter()) {
            *counts.entry((router.tls.is_some() || is_secure(name), name.as_str())).or_default() += 1;
        }
    }
    let most = |secure: bool| {
        let found = counts.iter().filter(|((of, _), _)| *of == secure);
        found.max_by_key(|(_, count)| **count).map(|((_, name), _)| (*name).to_owned())
    };
    names.http = most(false).unwrap_or(names.http);
    names.https = most(true).unwrap_or(names.https);
    names.http = on_port(80).unwrap_or(names.http);
    names.https = on_port(443).unwrap_or(names.https);
    let mut secure = dynamic.routers.values().filter(|router| on(router, &names.https));
    names.https_tls = secure.any(|router| router.tls.is_none());
    names
}

/// Whether the router names the entry point `name`.
fn on(router: &RouterDefinition, name: &str) -> bool {
    router.entry_points.iter().flat_map(|list| list.iter()).any(|entry| **entry == *name)
}

/// Whether an entry point of this name ends TLS for every router on it, as is usual.
pub(crate) fn is_secure(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("secure") || name.contains("https")
}

/// The files of `folder`, or what is wrong with each that Traefik refuses.
pub(crate) fn read(folder: &Path, profile: &Profile) -> Result<(Option<Dynamic>, Vec<Problem>), Problem> {
    let (mut sources, mut refused) = (Vec::new(), Vec::new());
    let paths = dynamic_files(folder)?;
    if paths.is_empty() {
        let problem = Problem::new(format!("`{}` holds no file that Traefik reads", folder.display()));
        return Err(problem
            .with_help("name the folder of the file provider; it reads .yml, .yaml and .toml".to_owned()));
    }
    for path in paths {
        let read = Source::read(&path)
            .and_then(|source| Dynamic::from_sources([source.clone()], profile).map(|_| source));
        match read {
            Ok(source) => sources.push(source),
            Err(problem) => refused.push(problem),
        }
    }
    if !refused.is_empty() {
        return Ok((None, refused));
    }
    Ok((Some(Dynamic::from_sources(sources, profile)?), refused))
}
