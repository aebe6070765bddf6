//! The outpost and its providers.

use http::StatusCode;
use ssoproof_deployment::Deployment;

use crate::authentik::State;
use crate::authentik::model::{Outpost, Provider, Proxy};
use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::files::Files;
use crate::faults::tamper::{AUTH, PROXY_COOKIE, at, status, victim};

/// Edits the proxy provider of the service that is hit.
fn provider(
    state: &mut State,
    deployment: &Deployment,
    edit: impl FnOnce(&mut Provider, &mut Proxy),
) -> bool {
    let Some(slug) = victim(deployment).map(|(slug, _)| slug.to_owned()) else { return false };
    let Some(pk) = state.application(&slug).and_then(|application| application.provider) else {
        return false;
    };
    let Some(provider) = state.providers.get_mut(&pk) else { return false };
    let Some(mut proxy) = provider.proxy.take() else { return false };
    edit(provider, &mut proxy);
    provider.proxy = Some(proxy);
    true
}

/// Edits the host that a provider answers for. One for a whole domain answers for every host of it.
fn external_host(state: &mut State, deployment: &Deployment, edit: impl FnOnce(&mut String)) -> bool {
    let mut single = false;
    provider(state, deployment, |_, proxy| {
        single = proxy.mode != "forward_domain";
        if single {
            edit(&mut proxy.external_host);
        }
    }) && single
}

/// Edits the embedded outpost.
pub(super) fn edit_outpost(state: &mut State, edit: impl FnOnce(&mut Outpost)) -> bool {
    let Some(pk) = state.embedded_outpost().map(|outpost| outpost.pk) else { return false };
    state.outposts.get_mut(&pk).map(edit).is_some()
}

/// Puts another address into the middleware.
fn address(files: &mut Files, deployment: &Deployment, path: &str) -> bool {
    files.ask(deployment, format!("{}{path}", *deployment.auth.upstream))
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "provider_not_in_outpost",
        group: Group::Outpost,
        story: "a proxy provider was not added to the embedded outpost: Authentik's own 404",
        reference: Some("https://github.com/goauthentik/authentik/issues/9122"),
        breaks: "API-2",
        diagnosis: "SSO-P01",
        seam: Seam::Database(|state, deployment| {
            let Some(slug) = victim(deployment).map(|(slug, _)| slug) else { return false };
            let provider = state.application(slug).and_then(|application| application.provider);
            edit_outpost(state, |outpost| outpost.providers.retain(|pk| Some(*pk) != provider))
        }),
    },
    Fault {
        name: "outpost_is_empty",
        group: Group::Outpost,
        story: "the embedded outpost has no provider at all",
        reference: Some("https://github.com/goauthentik/authentik/issues/5110"),
        breaks: "API-2",
        diagnosis: "SSO-P01",
        seam: Seam::Database(|state, _| edit_outpost(state, |outpost| outpost.providers.clear())),
    },
    Fault {
        name: "external_host_of_other",
        group: Group::Outpost,
        story: "a provider's external host is not the host that browsers ask for",
        reference: Some("https://github.com/goauthentik/authentik/issues/14547"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-P01",
        seam: Seam::Database(|state, deployment| {
            external_host(state, deployment, |host| *host = "https://elsewhere.example".to_owned())
        }),
    },
    Fault {
        name: "external_host_with_port",
        group: Group::Outpost,
        story: "a provider's external host names the port that browsers leave out",
        reference: Some("https://github.com/goauthentik/authentik/issues/12503"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-P01",
        seam: Seam::Database(|state, deployment| {
            external_host(state, deployment, |host| host.push_str(":443"))
        }),
    },
    Fault {
        name: "every_path_is_open",
        group: Group::Outpost,
        story: "an unanchored line among the unauthenticated paths opens everything",
        reference: Some("https://github.com/goauthentik/authentik/issues/8016"),
        breaks: "HDR-7",
        diagnosis: "SSO-P06",
        seam: Seam::Database(|state, deployment| {
            provider(state, deployment, |_, proxy| proxy.skip_path_regex = "/".to_owned())
        }),
    },
    Fault {
        name: "wrong_auth_endpoint",
        group: Group::Outpost,
        story: "the middleware asks nginx's endpoint: a 401 without a login",
        reference: Some("https://github.com/goauthentik/authentik/issues/6857"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R05",
        seam: Seam::Files(|files, deployment| {
            address(files, deployment, "/outpost.goauthentik.io/auth/nginx")
        }),
    },
    Fault {
        name: "ping_as_auth_endpoint",
        group: Group::Outpost,
        story: "the middleware asks the outpost's ping, whose 204 lets everybody in",
        reference: Some("https://github.com/goauthentik/authentik/issues/11620"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R05",
        seam: Seam::Files(|files, deployment| address(files, deployment, "/outpost.goauthentik.io/ping")),
    },
    Fault {
        name: "login_page_as_auth_endpoint",
        group: Group::Outpost,
        story: "the middleware asks a page of the core, whose 200 lets everybody in",
        reference: Some("https://github.com/goauthentik/authentik/issues/6857"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R05",
        seam: Seam::Files(|files, deployment| address(files, deployment, "/-/health/live/")),
    },
    Fault {
        name: "empty_200_for_bad_cookie",
        group: Group::Outpost,
        story: "a malformed proxy cookie gets an empty 200, and the service an anonymous request",
        reference: Some("https://github.com/advisories/GHSA-fj56-5763-j8pp"),
        breaks: "HDR-7",
        diagnosis: "SSO-P06",
        seam: Seam::requests(Link::Authentik, |request, _| {
            let lines = request.headers().get_all(http::header::COOKIE).iter();
            let text: String = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
            let value = text.split(PROXY_COOKIE).nth(1).and_then(|rest| rest.split(['=', ';']).nth(1));
            let good = |byte: u8| byte.is_ascii_alphanumeric() || b"=-_".contains(&byte);
            let malformed = value.is_some_and(|value| value.len() < 30 || !value.bytes().all(good));
            (malformed && request.uri().path().starts_with(AUTH)).then(|| status(StatusCode::OK))
        }),
    },
    Fault {
        name: "nobody_is_asked",
        group: Group::Outpost,
        story: "the outpost lets everybody pass without a header",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-P06",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, AUTH) && response.status() == StatusCode::FOUND {
                *response = status(StatusCode::OK);
            }
        }),
    },
    Fault {
        name: "bindings_are_gone",
        group: Group::Outpost,
        story: "an application has no policy binding: every user gets in",
        reference: None,
        breaks: "ACCESS-1",
        diagnosis: "SSO-A01",
        seam: Seam::Database(|state, _| {
            state.bindings.retain(|_, _| false);
            true
        }),
    },
    Fault {
        name: "binding_of_wrong_group",
        group: Group::Outpost,
        story: "an application is bound to a group whose members should stay out",
        reference: None,
        breaks: "ACCESS-1",
        diagnosis: "SSO-A01",
        seam: Seam::Database(|state, deployment| {
            let Some((slug, service)) = victim(deployment) else { return false };
            let Some(application) = state.application(slug).map(|application| application.pk) else {
                return false;
            };
            let allowed: Vec<&str> = service.allow.iter().map(|group| group.as_str()).collect();
            let outside =
                deployment.groups.iter().map(|group| group.as_str()).find(|group| !allowed.contains(group));
            let group =
                outside.and_then(|name| state.groups.values().find(|group| group.name == name)).map(|g| g.pk);
            let Some(group) = group else { return false };
            for binding in state.bindings.values_mut().filter(|binding| binding.target == application) {
                binding.group = Some(group);
            }
            true
        }),
    },
    Fault {
        name: "binding_is_negated",
        group: Group::Outpost,
        story: "a policy binding is negated: those inside are out, those outside in",
        reference: None,
        breaks: "ACCESS-1",
        diagnosis: "SSO-A01",
        seam: Seam::Database(|state, _| {
            for binding in state.bindings.values_mut() {
                binding.negate = true;
            }
            true
        }),
    },
    Fault {
        name: "inactive_users_are_active",
        group: Group::Outpost,
        story: "a user who has left is still active",
        reference: None,
        breaks: "LOGIN-5",
        diagnosis: "SSO-A02",
        seam: Seam::Database(|state, _| {
            for user in state.users.values_mut() {
                user.is_active = true;
            }
            true
        }),
    },
    Fault {
        name: "login_names_the_reason",
        group: Group::Outpost,
        story: "the login page tells strangers which half of their guess was wrong",
        reference: None,
        breaks: "LOGIN-5",
        diagnosis: "SSO-A03",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, "/api/v3/flows/executor/") {
                let text = String::from_utf8_lossy(response.body());
                *response.body_mut() = text.replace("Invalid password", "No such user").into();
            }
        }),
    },
];
