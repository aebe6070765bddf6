//! Cookies.

use http::header::{HeaderValue, SET_COOKIE};

use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::{AUTH, CALLBACK, CORE_COOKIE, PROXY_COOKIE, at, host_of, set_cookies};

/// `cookie` without the attribute `name`.
fn without(cookie: &str, name: &str) -> String {
    let kept: Vec<&str> = cookie
        .split(';')
        .map(str::trim)
        .filter(|part| !part.split('=').next().is_some_and(|key| key.eq_ignore_ascii_case(name)))
        .collect();
    kept.join("; ")
}

/// `cookie` with `attribute` in place of its own.
fn with(cookie: &str, attribute: &str) -> String {
    let name = attribute.split('=').next().unwrap_or(attribute);
    format!("{}; {attribute}", without(cookie, name))
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "proxy_cookie_of_other_domain",
        group: Group::Cookies,
        story: "the outpost's cookie names a domain that the service is not below, and browsers drop it",
        reference: Some("https://github.com/goauthentik/authentik/issues/12008"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-C01",
        seam: Seam::answers(Link::Authentik, |_, response, _| {
            set_cookies(response, PROXY_COOKIE, |cookie| with(cookie, "Domain=apps.example"));
        }),
    },
    Fault {
        name: "proxy_cookie_not_secure",
        group: Group::Cookies,
        story: "the outpost's cookie travels over plain HTTP as well",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-C02",
        seam: Seam::answers(Link::Authentik, |_, response, _| {
            set_cookies(response, PROXY_COOKIE, |cookie| without(cookie, "Secure"));
        }),
    },
    Fault {
        name: "proxy_cookie_for_scripts",
        group: Group::Cookies,
        story: "scripts of the service can read the outpost's cookie",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-C02",
        seam: Seam::answers(Link::Authentik, |_, response, _| {
            set_cookies(response, PROXY_COOKIE, |cookie| without(cookie, "HttpOnly"));
        }),
    },
    Fault {
        name: "proxy_cookie_same_site_none",
        group: Group::Cookies,
        story: "the outpost's cookie is sent with requests of foreign pages",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-C02",
        seam: Seam::answers(Link::Authentik, |_, response, _| {
            set_cookies(response, PROXY_COOKIE, |cookie| with(cookie, "SameSite=None"));
        }),
    },
    Fault {
        name: "two_proxy_cookies",
        group: Group::Cookies,
        story: "a left-over cookie of the same name and a longer path hides the new one",
        reference: Some("https://github.com/goauthentik/authentik/issues/12738"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-C03",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            let first = response.headers().get(SET_COOKIE).and_then(|line| line.to_str().ok());
            let name =
                first.filter(|line| line.starts_with(PROXY_COOKIE)).and_then(|line| line.split('=').next());
            if let (true, Some(name)) = (at(asked, AUTH), name) {
                let old =
                    format!("{name}=LEFTOVER; Path=/outpost.goauthentik.io; HttpOnly; Secure; SameSite=Lax");
                if let Ok(old) = HeaderValue::from_str(&old) {
                    response.headers_mut().append(SET_COOKIE, old);
                }
            }
        }),
    },
    Fault {
        name: "core_cookie_for_whole_domain",
        group: Group::Cookies,
        story: "the core's session cookie is sent to every host of the domain",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-C02",
        seam: Seam::answers(Link::Authentik, |_, response, deployment| {
            let host = host_of(&deployment.auth.url).unwrap_or_default();
            let domain = host.split_once('.').map_or(host.as_str(), |(_, domain)| domain).to_owned();
            set_cookies(response, CORE_COOKIE, |cookie| with(cookie, &format!("Domain={domain}")));
        }),
    },
    Fault {
        name: "core_cookie_not_secure",
        group: Group::Cookies,
        story: "the core's session cookie travels over plain HTTP as well",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-C01",
        seam: Seam::answers(Link::Authentik, |_, response, _| {
            set_cookies(response, CORE_COOKIE, |cookie| without(cookie, "Secure"));
        }),
    },
    Fault {
        name: "proxy_cookie_ends_at_once",
        group: Group::Cookies,
        story: "the outpost's cookie has ended when it is set, as when the clocks of both sides differ",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-C04",
        seam: Seam::answers(Link::Authentik, |_, response, _| {
            set_cookies(response, PROXY_COOKIE, |cookie| {
                without(&with(cookie, "Expires=Thu, 01 Jan 1970 00:00:10 GMT"), "Max-Age")
            });
        }),
    },
    Fault {
        name: "callback_resets_cookie",
        group: Group::Cookies,
        story: "the callback removes the cookie it should keep",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-S02",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            let sent = asked.headers.get("cookie").and_then(|line| line.to_str().ok());
            let name = sent
                .into_iter()
                .flat_map(|line| line.split(';'))
                .filter_map(|pair| pair.trim().split('=').next())
                .find(|name| name.starts_with(PROXY_COOKIE));
            if let (true, Some(name)) = (at(asked, CALLBACK), name) {
                let gone = format!("{name}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax");
                if let Ok(gone) = HeaderValue::from_str(&gone) {
                    response.headers_mut().append(SET_COOKIE, gone);
                }
            }
        }),
    },
    Fault {
        name: "grafana_cookie_for_scripts",
        group: Group::Cookies,
        story: "scripts can read Grafana's session cookie",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-C02",
        seam: Seam::answers(Link::Grafana, |_, response, _| {
            set_cookies(response, "grafana_session", |cookie| without(cookie, "HttpOnly"));
        }),
    },
    Fault {
        name: "grafana_state_cookie_lost",
        group: Group::Cookies,
        story: "the cookie with Grafana's OAuth state does not come back from the provider",
        reference: Some("https://github.com/grafana/grafana/issues/7996"),
        breaks: "GRAF-1",
        diagnosis: "SSO-G02",
        seam: Seam::answers(Link::Grafana, |_, response, _| {
            set_cookies(response, "oauth_state", |cookie| with(cookie, "Path=/login/elsewhere"));
        }),
    },
];
