//! What the stack stands on.

use http::{Method, StatusCode};

use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::{AUTH, said, status};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "auth_name_does_not_resolve",
        group: Group::Infrastructure,
        story: "the middleware's address names a host that Traefik cannot resolve",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-I01",
        seam: Seam::Files(|files, deployment| {
            files.ask(deployment, format!("http://nowhere:9000{AUTH}traefik"))
        }),
    },
    Fault {
        name: "authentik_answers_503",
        group: Group::Infrastructure,
        story: "Authentik is starting and answers 503 to everything",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-I02",
        seam: Seam::requests(Link::Authentik, |request, _| {
            request
                .uri()
                .path()
                .starts_with(AUTH)
                .then(|| said(StatusCode::SERVICE_UNAVAILABLE, "authentik starting"))
        }),
    },
    Fault {
        name: "authentik_answers_500",
        group: Group::Infrastructure,
        story: "Authentik has lost its database and answers 500",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-I02",
        seam: Seam::requests(Link::Authentik, |request, _| {
            let flow = request.uri().path().starts_with("/api/v3/flows/");
            flow.then(|| status(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "service_is_down",
        group: Group::Infrastructure,
        story: "the services answer 502 to everybody who is signed in",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-I03",
        seam: Seam::requests(Link::Services, |_, _| Some(status(StatusCode::BAD_GATEWAY))),
    },
    Fault {
        name: "service_refuses_websockets",
        group: Group::Infrastructure,
        story: "the service refuses the upgrade because it compares the origin with a scheme it does not know",
        reference: Some("https://github.com/traefik/traefik/issues/6388"),
        breaks: "HDR-1",
        diagnosis: "SSO-I04",
        seam: Seam::requests(Link::Services, |request, _| {
            let upgrade = request.headers().contains_key(http::header::UPGRADE);
            upgrade.then(|| said(StatusCode::FORBIDDEN, "origin not allowed"))
        }),
    },
    Fault {
        name: "body_is_lost",
        group: Group::Infrastructure,
        story: "the body of a POST does not reach the service",
        reference: Some("https://github.com/traefik/traefik/issues/9952"),
        breaks: "HDR-1",
        diagnosis: "SSO-I05",
        seam: Seam::requests(Link::Services, |request, _| {
            if request.method() == Method::POST {
                request.body_mut().clear();
                request.headers_mut().insert(http::header::CONTENT_LENGTH, 0.into());
            }
            None
        }),
    },
    Fault {
        name: "every_method_is_get",
        group: Group::Infrastructure,
        story: "something on the way turns every request into a GET",
        reference: Some("https://github.com/traefik/traefik/issues/11438"),
        breaks: "HDR-1",
        diagnosis: "SSO-I05",
        seam: Seam::requests(Link::Services, |request, _| {
            if [Method::PUT, Method::DELETE, Method::PATCH].contains(request.method()) {
                *request.method_mut() = Method::GET;
            }
            None
        }),
    },
];
