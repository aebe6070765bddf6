//! What Traefik's files tell.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use regex::Regex;
use ssoproof_deployment::traefik::{Dynamic, Profile, RouterDefinition, canonical_header};
use ssoproof_deployment::{Domain, Located, Problem, Service};
use url::Url;

use super::Inputs;
use super::draft::{DECIDE, Draft};
use super::relative::{from_root, relative};
use crate::agent::registrable_domain;
use crate::infer::{self, IDENTITY};
use crate::routing::Routing;
use crate::stacks::host_and_port;

/// The version of Traefik where nobody says another.
const TRAEFIK: &str = "3.6";
/// A path of the outpost's, as routers see it.
const CALLBACK: &str = "/outpost.goauthentik.io/callback";

/// Reads the files.
///
/// # Errors
/// A [`Problem`] when the folder cannot be read, when Traefik refuses a file, and when nothing there sends requests
/// through forward auth.
pub(super) fn read(inputs: &Inputs) -> Result<Draft, Problem> {
    let folder = whole(&inputs.traefik)
        .map_err(|problem| problem.with_help("name the folder of Traefik's file provider".to_owned()))?;
    if !folder.is_dir() {
        let problem = Problem::new(format!("`{}` is no folder", inputs.traefik.display()));
        return Err(problem.with_help("name the folder of Traefik's file provider".to_owned()));
    }
    let output = from_root(&inputs.output)
        .map_err(|error| Problem::new(format!("failed to find `{}`: {error}", inputs.output.display())))?;
    if output.starts_with(&folder) {
        let message = format!("`{}` is within the folder that Traefik reads", inputs.output.display());
        let help =
            "Traefik would take deployment.yaml for a file of its own; name another folder with `--output`";
        return Err(Problem::new(message).with_help(help.to_owned()));
    }
    let version = inputs.traefik_version.clone().unwrap_or_else(|| TRAEFIK.to_owned());
    let (dynamic, refused) = infer::read(&inputs.traefik, Profile::for_version(&version))?;
    let Some(dynamic) = dynamic else {
        let refused = refused.into_iter().next();
        return Err(refused.unwrap_or_else(|| Problem::new("Traefik refuses the files")));
    };
    protected(&inputs.traefik, &dynamic)?;
    let mut deployment = infer::deployment(&dynamic, &folder, &[], &version, &|_| None);
    deployment.name = inputs.name.clone().unwrap_or_else(|| name_of(&output));
    deployment.folder.clone_from(&inputs.output);
    deployment.traefik.dynamic = Located::nowhere(relative(&output, &folder));
    let entry_points = deployment.traefik.entry_points.both();
    let routing = Arc::new(Routing::of(&deployment, &folder, dynamic, entry_points));
    let mut draft = Draft {
        deployment,
        routing,
        traefik: folder,
        sources: vec![format!("the Traefik files in `{}`", inputs.traefik.display())],
        notes: BTreeMap::new(),
        families: BTreeMap::new(),
        left_out: 0,
        failures: BTreeMap::new(),
    };
    login_host(&inputs.traefik, &draft)?;
    identity(&mut draft);
    if inputs.traefik_version.is_none() {
        draft.note(
            "versions",
            format!("{DECIDE}Traefik's version is not in these files; say which one runs."),
        );
    }
    if inputs.authentik.is_none() {
        draft.note(
            "versions",
            format!("{DECIDE}Authentik's version is not in these files; say which one runs."),
        );
    }
    services(&mut draft)?;
    domain(&mut draft);
    open_hosts(&mut draft);
    Ok(draft)
}

fn whole(path: &Path) -> Result<std::path::PathBuf, Problem> {
    path.canonicalize().map_err(|error| Problem::new(format!("failed to read `{}`: {error}", path.display())))
}

fn name_of(output: &Path) -> String {
    output.file_name().map_or_else(|| "sso".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Proves that the files protect something.
fn protected(folder: &Path, dynamic: &Dynamic) -> Result<(), Problem> {
    let shown = folder.display();
    if dynamic.routers.is_empty() {
        let problem = Problem::new(format!("no file in `{shown}` has a router"));
        return Err(problem.with_help(
            "routers of other providers, such as Docker's labels, are not in files; write them down, or take them from \
             Traefik's API"
                .to_owned(),
        ));
    }
    let middlewares: Vec<&String> =
        dynamic.middlewares.keys().filter(|name| infer::forward_auth(dynamic, name).is_some()).collect();
    if middlewares.is_empty() {
        let problem = Problem::new(format!("no file in `{shown}` has a middleware of type forwardAuth"));
        return Err(
            problem.with_help("without one nothing asks Authentik before a request passes".to_owned())
        );
    }
    if !dynamic.routers.values().any(|router| infer::is_guarded(dynamic, router)) {
        let names: Vec<String> = middlewares.iter().map(|name| format!("`{name}`")).collect();
        let problem =
            Problem::new(format!("no router in `{shown}` lists the middleware {}", names.join(" or ")));
        return Err(problem
            .with_help("nothing is protected yet; `ssoproof traefik patch` puts it on routers".to_owned()));
    }
    Ok(())
}

/// Proves that browsers find the login.
fn login_host(folder: &Path, draft: &Draft) -> Result<(), Problem> {
    if !draft.deployment.auth.url.ends_with(".invalid") {
        return Ok(());
    }
    let message = format!("no router in `{}` leads browsers to Authentik's own host", folder.display());
    let upstream = &*draft.deployment.auth.upstream;
    let help = format!("the login page is there; write down the router whose service is {upstream}");
    Err(Problem::new(message).with_help(help))
}

/// The headers that the middleware takes from Authentik's answer.
fn identity(draft: &mut Draft) {
    let dynamic = draft.routing.config().dynamic.clone();
    let Some(auth) = infer::forward_auth(&dynamic, &draft.deployment.traefik.middleware) else { return };
    let pattern = auth.response_headers_pattern.as_ref().and_then(|pattern| Regex::new(pattern).ok());
    let matches = |name: &str| pattern.as_ref().is_some_and(|one| one.is_match(&canonical_header(name)));
    let by_pattern = IDENTITY.iter().filter(|name| matches(name));
    let listed = auth.response_headers.iter().map(String::as_str);
    let mut names: Vec<&str> = Vec::new();
    for name in listed.chain(by_pattern.copied()) {
        let new = !names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if new && name.to_ascii_lowercase().starts_with("x-authentik-") {
            names.push(name);
        }
    }
    let names: Vec<Located<String>> =
        names.into_iter().map(|name| Located::nowhere(name.to_owned())).collect();
    if names.is_empty() {
        draft.note(
            "headers",
            format!("{DECIDE}the middleware takes none of Authentik's headers from its answer."),
        );
        return;
    }
    draft.deployment.headers.identity = names;
}

/// Keeps the hosts whose first page a service answers behind the middleware, under short names.
fn services(draft: &mut Draft) -> Result<(), Problem> {
    let found = std::mem::take(&mut draft.deployment.services);
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for service in found.into_values() {
        let Ok(url) = Url::parse(&service.url) else { continue };
        let host = url.host_str().unwrap_or_default();
        let served = draft.routing.taken(&url).winner.and_then(|router| router.service);
        let served = served.is_some_and(|service| !service.servers.is_empty());
        if !served {
            let text = format!("{host} is protected, and no service answers its first page; it is left out.");
            draft.note("services", text);
            continue;
        }
        let label = host.split('.').next().unwrap_or_default();
        let short = slug(label);
        let slug = if !short.is_empty() && taken.insert(short.clone()) { short } else { slug(host) };
        taken.insert(slug.clone());
        let service = Service { title: title(&slug), ..service };
        draft.deployment.services.insert(slug, service);
    }
    if draft.deployment.services.is_empty() {
        return Err(Problem::new("no protected host has a service that answers its first page"));
    }
    Ok(())
}

/// A text as a slug.
pub(super) fn slug(text: &str) -> String {
    let slug: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    slug.trim_matches('-').to_owned()
}

fn title(slug: &str) -> String {
    let mut letters = slug.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Where the outpost's paths are routed on Authentik's host alone, the login can come back there alone: one provider
/// serves the whole domain.
fn domain(draft: &mut Draft) {
    let routing = draft.routing.clone();
    let upstream = host_and_port(&draft.deployment.auth.upstream);
    let comes_back = |service: &Service| {
        let callback = Url::parse(&format!("{}{CALLBACK}", *service.url)).ok();
        let winner = callback.and_then(|url| routing.taken(&url).winner);
        let service = winner.and_then(|router| router.service);
        service.is_some_and(|found| {
            found.servers.iter().any(|server| host_and_port(server.url.as_str()) == upstream)
        })
    };
    let auth = Url::parse(&draft.deployment.auth.url).ok();
    let auth_host = auth.as_ref().and_then(Url::host_str).unwrap_or_default();
    let Some(cookie_domain) = registrable_domain(auth_host) else { return };
    let domain = Domain {
        title: "Everything".to_owned(),
        external_host: draft.deployment.auth.url.clone(),
        cookie_domain: Located::nowhere(cookie_domain.to_owned()),
        allow: Vec::new(),
        in_outpost: true,
    };
    let mut any = false;
    for service in draft.deployment.services.values_mut().filter(|service| !comes_back(service)) {
        let host = Url::parse(&service.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        if host.is_some_and(|host| domain.holds(&host)) {
            service.domain = Some(Located::nowhere("domain".to_owned()));
            any = true;
        }
    }
    if any {
        let text = "the outpost's paths are routed on Authentik's host alone, as where one provider serves the whole \
                    domain. On the other hosts they reach the services, and Authentik asks nobody for a login there.";
        draft.note("domains", format!("{DECIDE}{text}"));
        draft.deployment.domains.insert("domain".to_owned(), domain);
    }
}

/// Names the hosts that no forward auth protects.
fn open_hosts(draft: &mut Draft) {
    let known: BTreeSet<String> = draft.deployment.hosts().into_iter().collect();
    let dynamic = draft.routing.config().dynamic.clone();
    let own = |router: &RouterDefinition| !infer::is_outpost(router) && !infer::is_guarded(&dynamic, router);
    let routed = dynamic.routers.values().filter(|router| own(router));
    let open: BTreeSet<String> =
        routed.flat_map(|router| infer::hosts_of(router)).filter(|host| !known.contains(host)).collect();
    if !open.is_empty() {
        let names: Vec<String> = open.into_iter().collect();
        let text = format!(
            "{DECIDE}forward auth does not protect {}. Apps that sign in with OpenID Connect themselves belong here; \
             a service that should be protected lacks the middleware.",
            names.join(", ")
        );
        draft.note("apps", text);
    }
}

/// Where the gateway reaches what answers `url`, where a router leads there.
pub(super) fn upstream_of(routing: &Routing, url: &Url) -> Option<String> {
    let service = routing.taken(url).winner?.service?;
    let server = &service.servers.first()?.url;
    let (host, port) = host_and_port(server.as_str())?;
    Some(format!("{}://{host}:{port}", server.scheme()))
}
