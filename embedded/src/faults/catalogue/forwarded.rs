//! Trust in `X-Forwarded-*`.

use http::header::HeaderValue;

use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::AUTH;
use crate::gateway::Trusted;

const HOST: &str = "x-forwarded-host";

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "everybody_is_trusted",
        group: Group::Forwarded,
        story: "the entry point believes X-Forwarded-* of every client (`forwardedHeaders.insecure`)",
        reference: Some("https://doc.traefik.io/traefik/reference/install-configuration/entrypoints/"),
        breaks: "HDR-9",
        diagnosis: "SSO-F01",
        seam: Seam::Trust(Trusted::Everybody),
    },
    Fault {
        name: "tls_ends_in_front",
        group: Group::Forwarded,
        story: "TLS ends before Traefik, and the outpost is told that the request came by http",
        reference: Some("https://github.com/thomseddon/traefik-forward-auth/issues/205"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-F02",
        seam: Seam::requests(Link::Authentik, |request, _| {
            if request.uri().path().starts_with(AUTH) {
                request.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("http"));
            }
            None
        }),
    },
    Fault {
        name: "port_in_forwarded_host",
        group: Group::Forwarded,
        story: "X-Forwarded-Host carries a port, and no provider's external host has one",
        reference: Some("https://github.com/goauthentik/authentik/issues/12503"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-P01",
        seam: Seam::requests(Link::Authentik, |request, _| {
            let host = request
                .headers()
                .get(HOST)
                .and_then(|host| host.to_str().ok())
                .map(|host| host.to_owned() + ":4443");
            let host = host.filter(|_| request.uri().path().starts_with(AUTH));
            if let Some(host) = host.and_then(|host| HeaderValue::from_str(&host).ok()) {
                request.headers_mut().insert(HOST, host);
            }
            None
        }),
    },
    Fault {
        name: "gateway_not_trusted_by_authentik",
        group: Group::Forwarded,
        story: "Authentik does not trust the gateway's network and ignores X-Forwarded-* (2026.8)",
        reference: Some("https://github.com/goauthentik/authentik/issues/25675"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-P01",
        seam: Seam::requests(Link::Authentik, |request, _| {
            for name in [HOST, "x-forwarded-proto", "x-forwarded-port"] {
                request.headers_mut().remove(name);
            }
            None
        }),
    },
    Fault {
        name: "public_auth_address",
        group: Group::Forwarded,
        story: "forwardAuth asks the public URL, and the second pass through Traefik rewrites X-Forwarded-Host",
        reference: Some("https://github.com/goauthentik/authentik/issues/2366"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R05",
        seam: Seam::Files(|files, deployment| {
            files.ask(deployment, format!("{}{AUTH}traefik", *deployment.auth.url))
        }),
    },
    Fault {
        name: "forwarded_uri_is_lost",
        group: Group::Forwarded,
        story: "the outpost is told a wrong URI: a rule for one path is applied to another",
        reference: Some("https://github.com/advisories/GHSA-3q9r-p662-5j8m"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-S04",
        seam: Seam::requests(Link::Authentik, |request, _| {
            if request.uri().path().starts_with(AUTH) {
                request.headers_mut().insert("x-forwarded-uri", HeaderValue::from_static("/"));
            }
            None
        }),
    },
    Fault {
        name: "service_gets_no_forwarded_host",
        group: Group::Forwarded,
        story: "something between gateway and service takes X-Forwarded-Host and -Proto away",
        reference: Some("https://github.com/sveltejs/kit/issues/6589"),
        breaks: "HDR-9",
        diagnosis: "SSO-F04",
        seam: Seam::requests(Link::Services, |request, _| {
            for name in [HOST, "x-forwarded-proto"] {
                request.headers_mut().remove(name);
            }
            None
        }),
    },
];
