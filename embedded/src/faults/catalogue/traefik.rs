//! Traefik's rules and files.

use serde_json::{Map, Value, json};
use ssoproof_deployment::Deployment;
use ssoproof_deployment::traefik::unqualified;

use crate::faults::fault::{Fault, Group, Seam};
use crate::faults::files::Files;
use crate::faults::tamper::{host_of, victim};

/// The host of the service that is hit.
fn host(deployment: &Deployment) -> Option<String> {
    host_of(&victim(deployment)?.1.url)
}

/// Edits the routers of the service that is hit, the outpost's aside.
fn router(files: &mut Files, deployment: &Deployment, edit: impl Fn(&mut Map<String, Value>)) -> bool {
    let Some(host) = host(deployment) else { return false };
    let outpost = unqualified(&deployment.traefik.outpost_router);
    let mut found = false;
    for (name, router) in files.routers_of(&host) {
        if name != outpost {
            edit(router);
            found = true;
        }
    }
    found
}

/// Edits the outpost's router.
fn outpost(files: &mut Files, deployment: &Deployment, edit: impl FnOnce(&mut Map<String, Value>)) -> bool {
    files.definition("routers", &deployment.traefik.outpost_router).map(edit).is_some()
}

/// Adds a router that leads to the service that is hit, without a middleware.
fn opened(
    files: &mut Files,
    deployment: &Deployment,
    rule: impl FnOnce(&str) -> String,
    priority: u32,
) -> bool {
    let Some(host) = host(deployment) else { return false };
    let own = files.routers_of(&host).into_iter().find_map(|(_, router)| router.get("service").cloned());
    let Some(service) = own else { return false };
    let router = json!({
        "rule": rule(&host), "entryPoints": [deployment.traefik.entry_points.https], "service": service,
        "priority": priority, "tls": {},
    });
    let text = json!({ "http": { "routers": { "deployed": router } } });
    files.add("deployed.yml", format!("{text:#}\n"))
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "middleware_dropped",
        group: Group::Traefik,
        story: "a deployment tool has written a router without the middleware: everybody gets in",
        reference: Some("https://github.com/Dokploy/dokploy/issues/5189"),
        breaks: "ROUTE-2",
        diagnosis: "SSO-R03",
        seam: Seam::Files(|files, deployment| {
            router(files, deployment, |router| drop(router.remove("middlewares")))
        }),
    },
    Fault {
        name: "middlewares_lost",
        group: Group::Traefik,
        story: "files that were written by hand come without any middleware after a move to another tool",
        reference: Some("https://github.com/Dokploy/dokploy/issues/5189"),
        breaks: "ROUTE-2",
        diagnosis: "SSO-R03",
        seam: Seam::Files(|files, _| {
            let removed = files.routers().filter_map(|(_, router)| router.remove("middlewares"));
            removed.count() > 0
        }),
    },
    Fault {
        name: "middlewares_empty",
        group: Group::Traefik,
        story: "a router's list of middlewares is empty: everybody gets in",
        reference: None,
        breaks: "ROUTE-2",
        diagnosis: "SSO-R03",
        seam: Seam::Files(|files, deployment| {
            router(files, deployment, |router| drop(router.insert("middlewares".to_owned(), json!([]))))
        }),
    },
    Fault {
        name: "middleware_misspelt",
        group: Group::Traefik,
        story: "a router names a middleware that there is not, and is disabled",
        reference: Some("https://github.com/traefik/traefik/issues/13464"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R02",
        seam: Seam::Files(|files, deployment| {
            router(files, deployment, |router| {
                router.insert("middlewares".to_owned(), json!(["authentic@file"]));
            })
        }),
    },
    Fault {
        name: "middleware_of_other_provider",
        group: Group::Traefik,
        story: "a router names the middleware with another provider than the one that defines it",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-R02",
        seam: Seam::Files(|files, deployment| {
            let name = deployment.traefik.middleware.replace("@file", "@docker");
            router(files, deployment, |router| {
                router.insert("middlewares".to_owned(), json!([name]));
            })
        }),
    },
    Fault {
        name: "longer_rule_goes_round",
        group: Group::Traefik,
        story: "a second router with a longer rule leads to the service without the middleware",
        reference: None,
        breaks: "ROUTE-2",
        diagnosis: "SSO-R03",
        seam: Seam::Files(|files, deployment| {
            opened(files, deployment, |host| format!("Host(`{host}`) && PathPrefix(`/`)"), 0)
        }),
    },
    Fault {
        name: "catch_all_goes_round",
        group: Group::Traefik,
        story: "a catch-all router of high priority leads around the middleware",
        reference: None,
        breaks: "ROUTE-2",
        diagnosis: "SSO-R03",
        seam: Seam::Files(|files, deployment| {
            opened(files, deployment, |_| "PathPrefix(`/`)".to_owned(), 9000)
        }),
    },
    Fault {
        name: "preflight_goes_round",
        group: Group::Traefik,
        story: "a router for OPTIONS lets preflights, and whatever uses that method, reach the service",
        reference: Some("https://github.com/goauthentik/authentik/issues/4083"),
        breaks: "LOGIN-4",
        diagnosis: "SSO-R03",
        seam: Seam::Files(|files, deployment| {
            opened(files, deployment, |host| format!("Host(`{host}`) && Method(`OPTIONS`)"), 900)
        }),
    },
    Fault {
        name: "host_missing_from_outpost_router",
        group: Group::Traefik,
        story: "the outpost router does not list the service's host: its paths come back to the middleware for ever",
        reference: Some("https://github.com/goauthentik/authentik/issues/2023"),
        breaks: "ROUTE-1",
        diagnosis: "SSO-R04",
        seam: Seam::Files(|files, deployment| {
            let hosts: Vec<String> =
                deployment.services.values().filter_map(|service| host_of(&service.url)).collect();
            let router = deployment.traefik.outpost_router.value.clone();
            let Some(router) = files.definition("routers", &router) else { return false };
            let Some(rule) = router.get("rule").and_then(Value::as_str).map(str::to_owned) else {
                return false;
            };
            let listed =
                hosts.iter().map(|host| format!("Host(`{host}`)")).find(|listed| rule.contains(listed));
            let Some(listed) = listed else { return false };
            router.insert("rule".to_owned(), rule.replace(&listed, "Host(`nobody.example`)").into());
            true
        }),
    },
    Fault {
        name: "outpost_router_of_auth_host_only",
        group: Group::Traefik,
        story: "the outpost router covers the auth host alone",
        reference: None,
        breaks: "ROUTE-1",
        diagnosis: "SSO-R04",
        seam: Seam::Files(|files, deployment| {
            let Some(host) = host_of(&deployment.auth.url) else { return false };
            outpost(files, deployment, |router| {
                let rule = format!("Host(`{host}`) && PathPrefix(`/outpost.goauthentik.io/`)");
                router.insert("rule".to_owned(), rule.into());
            })
        }),
    },
    Fault {
        name: "outpost_router_loses",
        group: Group::Traefik,
        story: "the outpost router's priority is lower than the services': its paths come to the middleware",
        reference: None,
        breaks: "ROUTE-1",
        diagnosis: "SSO-R04",
        seam: Seam::Files(|files, deployment| {
            outpost(files, deployment, |router| drop(router.insert("priority".to_owned(), 1.into())))
        }),
    },
    Fault {
        name: "outpost_router_takes_all",
        group: Group::Traefik,
        story: "the outpost router has lost its path: every request of every host goes to Authentik",
        reference: None,
        breaks: "ROUTE-1",
        diagnosis: "SSO-R06",
        seam: Seam::Files(|files, deployment| {
            outpost(files, deployment, |router| {
                let rule = router.get("rule").and_then(Value::as_str).unwrap_or_default();
                let rule = rule.replace("&& PathPrefix(`/outpost.goauthentik.io/`)", "");
                router.insert("rule".to_owned(), rule.into());
            })
        }),
    },
    Fault {
        name: "outpost_router_behind_middleware",
        group: Group::Traefik,
        story: "the outpost's own paths are behind forward auth",
        reference: None,
        breaks: "ROUTE-1",
        diagnosis: "SSO-R07",
        seam: Seam::Files(|files, deployment| {
            let middleware = deployment.traefik.middleware.value.clone();
            outpost(files, deployment, |router| {
                router.insert("middlewares".to_owned(), json!([middleware]));
            })
        }),
    },
    Fault {
        name: "auth_host_behind_middleware",
        group: Group::Traefik,
        story: "Authentik's own host is behind forward auth: the login page asks for a login",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-R07",
        seam: Seam::Files(|files, deployment| {
            let Some(host) = host_of(&deployment.auth.url) else { return false };
            let outpost = unqualified(&deployment.traefik.outpost_router).to_owned();
            let middleware = deployment.traefik.middleware.value.clone();
            let mut found = false;
            for (name, router) in files.routers_of(&host) {
                if name != outpost {
                    router.insert("middlewares".to_owned(), json!([middleware]));
                    found = true;
                }
            }
            found
        }),
    },
    Fault {
        name: "file_does_not_parse",
        group: Group::Traefik,
        story: "one file of the folder does not parse, and Traefik uses none",
        reference: Some("https://github.com/traefik/traefik/issues/8921"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R01",
        seam: Seam::Files(|files, _| files.add("broken.yml", "http:\n  routers:\n    a: [\n")),
    },
    Fault {
        name: "empty_map",
        group: Group::Traefik,
        story: "a tool has written `routers: {}`, which Traefik refuses together with every other file",
        reference: Some("https://github.com/traefik/traefik/issues/10890"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R01",
        seam: Seam::Files(|files, _| files.add("empty.yml", "http:\n  routers: {}\n  services: {}\n")),
    },
    Fault {
        name: "unknown_field",
        group: Group::Traefik,
        story: "one misspelt field takes the whole folder down",
        reference: Some("https://github.com/traefik/traefik/issues/13464"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R01",
        seam: Seam::Files(|files, _| {
            files.add(
                "field.yml",
                "http:\n  routers:\n    extra:\n      rules: Host(`a.example`)\n      service: extra\n",
            )
        }),
    },
    Fault {
        name: "rule_does_not_parse",
        group: Group::Traefik,
        story: "a router's rule is in the syntax of Traefik 2, and the router is disabled",
        reference: Some("https://doc.traefik.io/traefik/migrate/v2-to-v3/"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R02",
        seam: Seam::Files(|files, deployment| {
            let Some(host) = host(deployment) else { return false };
            router(files, deployment, |router| {
                router.insert("rule".to_owned(), format!("Host(`{host}`, `www.{host}`)").into());
            })
        }),
    },
    Fault {
        name: "router_on_other_entry_point",
        group: Group::Traefik,
        story: "a router listens on the plain entry point alone",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-R08",
        seam: Seam::Files(|files, deployment| {
            let entry = deployment.traefik.entry_points.http.clone();
            router(files, deployment, |router| {
                router.insert("entryPoints".to_owned(), json!([entry]));
                router.remove("tls");
            })
        }),
    },
    Fault {
        name: "router_of_other_host",
        group: Group::Traefik,
        story: "a router's rule has a typing error in its host: Traefik's 404",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-R08",
        seam: Seam::Files(|files, deployment| {
            router(files, deployment, |router| {
                router.insert("rule".to_owned(), "Host(`misspelt.example`)".into());
            })
        }),
    },
    Fault {
        name: "service_not_defined",
        group: Group::Traefik,
        story: "a router names a service that there is not, and is disabled",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-R02",
        seam: Seam::Files(|files, deployment| {
            router(files, deployment, |router| {
                router.insert("service".to_owned(), "gone".into());
            })
        }),
    },
    Fault {
        name: "routed_to_other_service",
        group: Group::Traefik,
        story: "two services are mixed up: a host leads to the other one",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-R09",
        seam: Seam::Files(|files, deployment| {
            let Some((_, service)) = victim(deployment) else { return false };
            let other = deployment.services.values().find(|other| *other.upstream != *service.upstream);
            let Some(other) = other.map(|other| other.upstream.value.clone()) else { return false };
            files.replace(&service.upstream.value.clone(), &other)
        }),
    },
];
