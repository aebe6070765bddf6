//! The deployment as scenarios name it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use ssoproof_deployment::{Deployment, Domain, Persona, Service};
use url::Url;

use super::cast;

/// The values that every case of a deployment begins with.
///
/// | name | value |
/// | --- | --- |
/// | `auth` | `url`, `host`, `logout_url`, flow slugs |
/// | `forward_auth` | services by slug: `name`, `title`, `url`, `host`, `allow`, `bridge`; `application` and `application_title`, slug and title of the application that lets users in, and `outpost`, the URL whose host has the outpost's callback |
/// | `single` | those of them with a provider of their own |
/// | `of_domain` | those that the provider of a domain serves |
/// | `bridged` | those with a header-to-cookie bridge |
/// | `sites` | one of them for each registrable domain |
/// | `domains` | domains with one provider by slug: `slug`, `title`, `external_host`, `host`, `cookie_domain`, `allow` |
/// | `personas` | personas by name: `name`, `username`, `display`, `email`, `groups`, `active`, and `grafana_role` where one is promised |
/// | `active` | the personas that may sign in |
/// | `insiders` | those of them whom `cast.home` lets in |
/// | `access` | `allowed` and `denied`: pairs of a `service` and an active `persona` |
/// | `cast` | who and what plays the parts of the library's scenarios, see [`super::cast`] |
/// | `apps` | `grafana` and `minio`: `name`, `url`, `host`, `slug`, `client_id`, `redirect_uri`, … |
/// | `headers` | `separator`, `identity` |
/// | `traefik` | `middleware`, `outpost_router` |
/// | `deploys` | `limit`, where the deployment states it |
/// | `versions`, `groups`, `policies` | as in `deployment.yaml` |
pub fn values(deployment: &Deployment) -> Value {
    let services: Map<String, Value> = deployment
        .services
        .iter()
        .map(|(slug, service)| (slug.clone(), self::service(deployment, slug, service)))
        .collect();
    let with = |holds: fn(&Value) -> bool| -> Map<String, Value> {
        services.iter().filter(|(_, service)| holds(service)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let personas: Map<String, Value> = deployment
        .personas
        .iter()
        .map(|(name, persona)| (name.clone(), self::persona(name, persona)))
        .collect();
    let active: Map<String, Value> = personas
        .iter()
        .filter(|(_, persona)| persona["active"] == true)
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let (allowed, denied) = access(deployment);
    let auth = &deployment.auth;
    json!({
        "auth": {
            "url": *auth.url, "host": host(&auth.url), "logout_url": *auth.logout_url,
            "authentication_flow": auth.authentication_flow, "invalidation_flow": auth.invalidation_flow,
            "provider_invalidation_flow": auth.provider_invalidation_flow,
        },
        "single": with(|service| service["domain"].is_null()),
        "of_domain": with(|service| !service["domain"].is_null()),
        "bridged": with(|service| !service["bridge"].is_null()),
        "sites": cast::sites(deployment).into_iter().map(|slug| (slug.clone(), services[&slug].clone())).collect::<Map<_, _>>(),
        "domains": deployment.domains.iter().map(|(slug, domain)| (slug.clone(), self::domain(slug, domain))).collect::<Map<_, _>>(),
        "insiders": cast::insiders(deployment).into_iter().map(|name| (name.clone(), personas[&name].clone())).collect::<Map<_, _>>(),
        "cast": cast::cast(deployment, &services, &personas),
        "forward_auth": services,
        "personas": personas,
        "active": active,
        "access": { "allowed": allowed, "denied": denied },
        "apps": apps(deployment),
        "headers": {
            "separator": *deployment.headers.group_separator,
            "identity": deployment.headers.identity,
        },
        "traefik": {
            "middleware": *deployment.traefik.middleware, "outpost_router": *deployment.traefik.outpost_router,
        },
        "deploys": deployment.deploys,
        "versions": deployment.versions,
        "groups": deployment.groups,
        "policies": deployment.apps.minio.iter().flat_map(|minio| minio.policies.keys()).collect::<Vec<_>>(),
    })
}

fn service(deployment: &Deployment, slug: &str, service: &Service) -> Value {
    json!({
        "name": slug, "slug": slug, "title": service.title, "url": *service.url, "host": host(&service.url),
        "allow": service.allow, "bridge": service.bridge, "in_outpost": service.in_outpost,
        "domain": service.domain, "application": deployment.application_of(slug, service),
        "application_title": deployment.domain_of(service).map_or(&service.title, |domain| &domain.title),
        "outpost": deployment.outpost_of(service),
    })
}

fn domain(slug: &str, domain: &Domain) -> Value {
    json!({
        "name": slug, "slug": slug, "title": domain.title, "external_host": *domain.external_host,
        "host": host(&domain.external_host), "cookie_domain": *domain.cookie_domain, "allow": domain.allow,
    })
}

fn persona(name: &str, persona: &Persona) -> Value {
    // In the order of JMESPath's `sort`.
    let groups: BTreeSet<&str> = persona.groups.iter().map(|group| group.as_str()).collect();
    let mut value = json!({
        "name": name, "username": *persona.username, "display": persona.name, "email": persona.email,
        "groups": groups, "active": persona.active,
    });
    if let Some(role) = &persona.grafana_role {
        value["grafana_role"] = role.as_str().into();
    }
    value
}

/// Who gets in where, and who does not.
fn access(deployment: &Deployment) -> (Map<String, Value>, Map<String, Value>) {
    let (mut allowed, mut denied) = (Map::new(), Map::new());
    for (slug, service) in &deployment.services {
        for (name, persona) in deployment.personas.iter().filter(|(_, persona)| persona.active) {
            let lets_in = cast::lets_in(service, persona);
            let pair = json!({
                "name": format!("{slug}/{name}"),
                "service": self::service(deployment, slug, service), "persona": self::persona(name, persona),
            });
            if lets_in { &mut allowed } else { &mut denied }.insert(format!("{slug}/{name}"), pair);
        }
    }
    (allowed, denied)
}

fn apps(deployment: &Deployment) -> Value {
    let mut apps = Map::new();
    let side = |provider: &ssoproof_deployment::Provider| {
        json!({
            "slug": *provider.slug, "client_id": provider.client_id, "scopes": provider.scopes,
            "redirect_uri": provider.redirect_uris.first().map(|uri| uri.value.clone()),
            "redirect_uris": provider.redirect_uris, "signing_key": *provider.signing_key,
        })
    };
    let mut add = |name: &str, url: &str, provider: &ssoproof_deployment::Provider, more: Value| {
        let mut app = side(provider);
        app["name"] = name.into();
        app["url"] = url.into();
        app["host"] = host(url).into();
        if let (Value::Object(app), Value::Object(more)) = (&mut app, more) {
            app.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
        }
        apps.insert(name.to_owned(), app);
    };
    if let Some(grafana) = &deployment.apps.grafana {
        let more = json!({
            "role_attribute_path": *grafana.role_attribute_path,
            "signout_redirect_url": grafana.signout_redirect_url,
        });
        add("grafana", &grafana.url, &grafana.provider, more);
    }
    if let Some(minio) = &deployment.apps.minio {
        let more = json!({
            "api_url": *minio.api_url, "claim_name": *minio.claim_name, "buckets": minio.buckets,
        });
        add("minio", &minio.url, &minio.provider, more);
    }
    Value::Object(apps)
}

fn host(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
