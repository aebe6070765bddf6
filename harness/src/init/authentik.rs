//! What Authentik's API tells: providers, applications, groups, users. Secrets are not asked for, and those that come
//! along are not kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use ssoproof_deployment::{Domain, Grafana, Located, Persona, Problem, Provider, SigningKey, is_within};
use ssoproof_embedded::authentik::Profile;
use url::Url;

use super::draft::{DECIDE, Draft};
use super::files::{slug, upstream_of};
use super::{Api, InitError, people};
use crate::doctor::{Ask, pages};
use crate::stacks::{attached_client, host_of};

/// The most users that are taken.
const MOST_USERS: usize = 6;
/// The end of the redirect URI of Grafana's login, and of that of MinIO's console.
const GRAFANA: &str = "/login/generic_oauth";
const MINIO: &str = "/oauth_callback";

/// Lists of the API, by their paths.
struct Lists(BTreeMap<&'static str, Vec<Value>>);

/// What is read.
const LISTS: [&str; 8] = [
    "providers/proxy/",
    "providers/oauth2/",
    "core/applications/",
    "outposts/instances/",
    "policies/bindings/",
    "core/users/",
    "propertymappings/provider/scope/",
    "crypto/certificatekeypairs/",
];

impl Lists {
    /// Reads them.
    ///
    /// # Errors
    /// A [`Problem`] with what the API said.
    async fn read(ask: &Ask, api: &Api) -> Result<Self, Problem> {
        let mut lists = BTreeMap::new();
        for list in LISTS {
            let url = format!("{}/api/v3/{list}", api.url.as_str().trim_end_matches('/'));
            let found = pages(ask, &url, &api.token).await.map_err(|said| refused(&url, &said))?;
            lists.insert(list, found);
        }
        Ok(Self(lists))
    }

    fn of(&self, list: &str) -> &[Value] {
        self.0.get(list).map_or(&[], Vec::as_slice)
    }

    fn by_pk(&self, list: &str, pk: &Value) -> Option<&Value> {
        self.of(list).iter().find(|one| !pk.is_null() && one["pk"] == *pk)
    }
}

fn refused(url: &str, said: &str) -> Problem {
    let help = match said {
        "401" | "403" => {
            "the token is not good, or its user may not read this: make one with the intent `api`"
        }
        _ => "`--authentik` is Authentik's own URL; `--resolve` and `--ca` say how to reach it",
    };
    Problem::new(format!("Authentik's API at {url} does not answer as it should: {said}"))
        .with_help(help.to_owned())
}

/// Fills `draft` with what the API tells.
///
/// # Errors
/// [`InitError::Problem`] when the API does not answer as it should, or the CAs cannot be read.
pub(super) async fn fill(draft: &mut Draft, api: &Api) -> Result<(), InitError> {
    let ask = Ask::new(attached_client(&api.attach)?);
    let lists = Lists::read(&ask, api).await?;
    draft.sources.push(format!("what Authentik at {} tells", api.url));
    version(draft, &ask, api).await;
    services(draft, &lists);
    apps(draft, &lists);
    users(draft, &lists);
    Ok(())
}

async fn version(draft: &mut Draft, ask: &Ask, api: &Api) {
    let url = format!("{}/api/v3/admin/version/", api.url.as_str().trim_end_matches('/'));
    let answer = ask.json(&url, Some(&api.token)).await.unwrap_or_default();
    let Some(running) = answer["version_current"].as_str() else {
        draft.note("versions", format!("{DECIDE}Authentik's version: the token's user may not see it."));
        return;
    };
    match Profile::of(running) {
        Some(_) => {
            let short: Vec<&str> = running.split('.').take(2).collect();
            draft.deployment.versions.authentik = short.join(".");
        }
        None => {
            let known = &draft.deployment.versions.authentik;
            let text = format!("Authentik {running} is not modelled; the embedded stack behaves as {known}.");
            draft.note("versions", text);
        }
    }
}

/// Gives services the applications and rights of their providers.
fn services(draft: &mut Draft, lists: &Lists) {
    let served: BTreeSet<String> = lists
        .of("outposts/instances/")
        .iter()
        .flat_map(|outpost| outpost["providers"].as_array().into_iter().flatten())
        .map(Value::to_string)
        .collect();
    let mut used = BTreeSet::new();
    let mut groups: BTreeSet<String> = BTreeSet::new();
    draft.deployment.domains.clear();
    draft.notes.remove("domains");
    for (name, mut service) in std::mem::take(&mut draft.deployment.services) {
        service.domain = None;
        let host = host_of(&service.url).unwrap_or_default();
        let Some(provider) = provider_for(lists.of("providers/proxy/"), &host) else {
            let text = format!(
                "{DECIDE}no proxy provider of Authentik's is for {host}: its outpost answers 404 there."
            );
            draft.note("services", text);
            draft.deployment.services.insert(name, service);
            continue;
        };
        used.insert(provider["pk"].to_string());
        let application = lists.of("core/applications/").iter().find(|one| one["provider"] == provider["pk"]);
        let Some(application) = application else {
            let text = format!("{DECIDE}the provider {} has no application.", provider["name"]);
            draft.note("services", text);
            draft.deployment.services.insert(name, service);
            continue;
        };
        let (allow, odd) = allowed(lists, application);
        odd.into_iter().for_each(|text| draft.note("services", text));
        groups.extend(allow.iter().cloned());
        let allow: Vec<Located<String>> = allow.into_iter().map(Located::nowhere).collect();
        let title = text(application, "name");
        let key = text(application, "slug");
        let in_outpost = served.contains(&provider["pk"].to_string());
        if provider["mode"] == "forward_domain" {
            let domain = Domain {
                title,
                external_host: Located::nowhere(
                    text(provider, "external_host").trim_end_matches('/').to_owned(),
                ),
                cookie_domain: Located::nowhere(text(provider, "cookie_domain")),
                allow,
                in_outpost,
            };
            draft.deployment.domains.insert(key.clone(), domain);
            service.domain = Some(Located::nowhere(key));
            draft.deployment.services.insert(name, service);
        } else {
            service.title = title;
            service.allow = allow;
            service.in_outpost = in_outpost;
            draft.deployment.services.insert(key, service);
        }
    }
    for provider in lists.of("providers/proxy/").iter().filter(|one| !used.contains(&one["pk"].to_string())) {
        let text = format!(
            "Authentik has a provider for {} as well, and no router of these files protects it.",
            text(provider, "external_host")
        );
        draft.note("services", text);
    }
    draft.deployment.groups = groups.into_iter().map(Located::nowhere).collect();
}

/// The proxy provider that the outpost finds for `host`.
fn provider_for<'l>(proxies: &'l [Value], host: &str) -> Option<&'l Value> {
    let direct = |one: &&Value| host_of(&text(one, "external_host")).as_deref() == Some(host);
    let domain = |one: &Value| text(one, "cookie_domain").trim_start_matches('.').to_owned();
    let whole = |one: &&Value| one["mode"] == "forward_domain" && is_within(host, &domain(one));
    let by_domain = || proxies.iter().filter(whole).max_by_key(|one| domain(one).len());
    proxies.iter().find(|one| direct(one) && one["mode"] != "forward_domain").or_else(by_domain)
}

/// The groups that an application is bound to, and what else it is bound to, for a person to look at.
fn allowed(lists: &Lists, application: &Value) -> (Vec<String>, Vec<String>) {
    let (mut groups, mut odd) = (Vec::new(), Vec::new());
    let name = text(application, "name");
    let bound = lists.of("policies/bindings/").iter().filter(|one| one["target"] == application["pk"]);
    for binding in bound.filter(|one| one["enabled"] != false) {
        let group = binding["group_obj"]["name"].as_str();
        match group {
            Some(group) if binding["negate"] != true => groups.push(group.to_owned()),
            Some(group) => odd
                .push(format!("{DECIDE}{name} keeps members of {group} out; here only who gets in is said.")),
            None if binding["user"].is_null() => {
                odd.push(format!(
                    "{DECIDE}a policy decides about {name} as well; who gets in by it is not known."
                ));
            }
            None => odd.push(format!("{DECIDE}a user is bound to {name}; here only groups are said.")),
        }
    }
    (groups, odd)
}

/// Finds Grafana and MinIO among the OAuth2 providers.
fn apps(draft: &mut Draft, lists: &Lists) {
    for provider in lists.of("providers/oauth2/") {
        let uris: Vec<String> = provider["redirect_uris"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|uri| uri["matching_mode"] == "strict")
            .map(|uri| text(uri, "url"))
            .collect();
        let application = lists.of("core/applications/").iter().find(|one| one["provider"] == provider["pk"]);
        let Some(application) = application else { continue };
        let name = text(application, "name");
        if let Some(uri) = uris.iter().find(|uri| uri.ends_with(MINIO)) {
            let text = format!(
                "{DECIDE}{name} with the redirect URI {uri} looks like MinIO. State it as `minio:`, with the URL of its \
                 API, the claim's name and the policies, which only MinIO knows."
            );
            draft.note("apps", text);
            continue;
        }
        let Some(uri) = uris.iter().find(|uri| uri.ends_with(GRAFANA)) else {
            draft.note(
                "apps",
                format!(
                    "{name} signs in with OpenID Connect too; of such apps Grafana and MinIO are checked."
                ),
            );
            continue;
        };
        let Some(url) = Url::parse(uri).ok().map(|url| url.origin().ascii_serialization()) else { continue };
        let upstream = Url::parse(&url).ok().and_then(|url| upstream_of(&draft.routing, &url));
        let Some(upstream) = upstream else {
            draft.note(
                "apps",
                format!("{name} at {url} looks like Grafana, and no router of these files leads there."),
            );
            continue;
        };
        let side = Provider {
            slug: Located::nowhere(text(application, "slug")),
            client_id: text(provider, "client_id"),
            redirect_uris: uris.iter().cloned().map(Located::nowhere).collect(),
            scopes: scopes(lists, provider),
            signing_key: Located::nowhere(signing_key(lists, provider)),
            invalidation_flow: None,
        };
        draft.deployment.apps.grafana = Some(Grafana {
            url: Located::nowhere(url),
            upstream: Located::nowhere(upstream),
            provider: side,
            role_attribute_path: Located::nowhere("'Viewer'".to_owned()),
            role_attribute_strict: false,
            signout_redirect_url: None,
        });
        let text = "Grafana's own settings are not known: copy GF_AUTH_GENERIC_OAUTH_ROLE_ATTRIBUTE_PATH and, as \
                    `signout_redirect_url`, GF_AUTH_SIGNOUT_REDIRECT_URL; then give each persona the `grafana_role` it must have.";
        draft.note("apps", format!("{DECIDE}{text}"));
    }
}

/// The scopes for which the provider has a mapping, those of Grafana's login first.
fn scopes(lists: &Lists, provider: &Value) -> Vec<Located<String>> {
    let has = provider["property_mappings"].as_array().into_iter().flatten();
    let names =
        has.filter_map(|pk| lists.by_pk("propertymappings/provider/scope/", pk)?["scope_name"].as_str());
    let names: BTreeSet<&str> = names.collect();
    let usual = ["openid", "profile", "email"].into_iter().filter(|name| names.contains(name));
    usual.map(|name| Located::nowhere(name.to_owned())).collect()
}

fn signing_key(lists: &Lists, provider: &Value) -> SigningKey {
    let Some(pair) = lists.by_pk("crypto/certificatekeypairs/", &provider["signing_key"]) else {
        return SigningKey::None;
    };
    let kind = pair["key_type"].as_str().or_else(|| pair["private_key_type"].as_str()).unwrap_or_default();
    match kind {
        "ec" | "ecdsa" => SigningKey::DedicatedEc,
        _ if text(pair, "name") == "authentik Self-signed Certificate" => SigningKey::SelfSigned,
        _ => SigningKey::DedicatedRsa,
    }
}

/// Takes a user for each set of groups that decides about services, and one who may not sign in.
fn users(draft: &mut Draft, lists: &Lists) {
    let decisive: BTreeSet<String> =
        draft.deployment.groups.iter().map(|group| group.value.clone()).collect();
    let groups = |user: &Value| -> BTreeSet<String> {
        let all = user["groups_obj"].as_array().into_iter().flatten();
        all.filter_map(|group| group["name"].as_str().map(str::to_owned)).collect()
    };
    let ordinary = |user: &&Value| {
        let kind = user["type"].as_str().unwrap_or("internal");
        kind != "service_account" && kind != "internal_service_account" && user["is_superuser"] != true
    };
    let mut all: Vec<&Value> = lists.of("core/users/").iter().filter(ordinary).collect();
    all.sort_by_key(|user| text(user, "username"));
    let mut seen: BTreeSet<(bool, Vec<String>)> = BTreeSet::new();
    let mut personas: BTreeMap<String, Persona> = BTreeMap::new();
    let mut known = decisive.clone();
    for user in all {
        let active = user["is_active"] != false;
        let own = groups(user);
        let key = if active { own.intersection(&decisive).cloned().collect() } else { Vec::new() };
        if personas.len() == MOST_USERS || !seen.insert((active, key)) {
            continue;
        }
        let username = text(user, "username");
        let mut name = slug(&username).replace('-', "_");
        if name.is_empty() || name == "anonymous" || personas.contains_key(&name) {
            name = format!("user_{}", personas.len() + 1);
        }
        known.extend(own.iter().cloned());
        let persona = Persona {
            username: Located::nowhere(username),
            name: text(user, "name"),
            email: text(user, "email"),
            groups: own.into_iter().map(Located::nowhere).collect(),
            active,
            grafana_role: None,
            password_env: None,
        };
        personas.insert(name, persona);
    }
    if personas.values().all(|persona| !persona.active) {
        people::make_up(draft);
        return;
    }
    draft.deployment.groups = known.into_iter().map(Located::nowhere).collect();
    draft.deployment.personas = personas;
    let text = "one user for each set of groups that decides about a service, and one who may not sign in. Against what \
                runs, they sign in with the passwords of SSOPROOF_PASSWORD_<NAME>; users of your own for it are better.";
    draft.note("personas", format!("{DECIDE}{text}"));
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
