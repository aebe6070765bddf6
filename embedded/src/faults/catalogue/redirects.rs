//! Redirects and sessions.

use http::header::ACCEPT;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::outpost::edit_outpost;
use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::{
    AUTH, AUTHORIZE, CALLBACK, CORE_COOKIE, PROXY_COOKIE, START, at, cookie_sent, location,
    location_parameter, redirect, said, set_cookies, status, without_cookie,
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "internal_auth_url",
        group: Group::Redirects,
        story: "the embedded outpost sends browsers to the name that only the gateway knows",
        reference: Some("https://github.com/goauthentik/authentik/issues/5922"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-P02",
        seam: Seam::Database(|state, deployment| {
            let upstream = deployment.auth.upstream.value.clone();
            edit_outpost(state, |outpost| {
                outpost.config.insert("authentik_host".to_owned(), upstream.into());
            })
        }),
    },
    Fault {
        name: "redirect_to_https_goes_round",
        group: Group::Redirects,
        story: "TLS ends before Traefik, which takes every request for a plain one and sends it to https again and again",
        reference: Some("https://github.com/traefik/traefik/issues/5629"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-R10",
        seam: Seam::Files(|files, _| {
            let first = ["tls-ends-before", "to-https"];
            for (_, router) in files.routers() {
                let listed = router.get("middlewares").and_then(Value::as_array).cloned().unwrap_or_default();
                let all = first.into_iter().map(Value::from).chain(listed);
                router.insert("middlewares".to_owned(), all.collect());
            }
            let middlewares = json!({
                "tls-ends-before": { "headers": { "customRequestHeaders": { "X-Forwarded-Proto": "http" } } },
                "to-https": { "redirectScheme": { "scheme": "https" } },
            });
            let text = json!({ "http": { "middlewares": middlewares } });
            files.add("secure.yml", format!("{text:#}\n"))
        }),
    },
    Fault {
        name: "session_not_stored",
        group: Group::Redirects,
        story: "the callback redeems the code and loses the session: callback and authorize follow each other for ever",
        reference: Some("https://github.com/goauthentik/authentik/issues/10848"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-S02",
        seam: Seam::requests(Link::Authentik, |request, _| {
            if request.uri().path().starts_with(AUTH) {
                without_cookie(request, PROXY_COOKIE);
            }
            None
        }),
    },
    Fault {
        name: "other_outpost_answers_callback",
        group: Group::Redirects,
        story: "the callback reaches an outpost that has never seen the session",
        reference: Some("https://github.com/goauthentik/authentik/issues/6883"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-S01",
        seam: Seam::requests(Link::Authentik, |request, _| {
            if request.uri().path().starts_with(CALLBACK) {
                without_cookie(request, PROXY_COOKIE);
            }
            None
        }),
    },
    Fault {
        name: "stale_cookie_is_400",
        group: Group::Redirects,
        story: "a proxy cookie whose session has ended gives a 400 instead of a new login",
        reference: Some("https://github.com/goauthentik/authentik/issues/17033"),
        breaks: "LOGOUT-1",
        diagnosis: "SSO-S03",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            let known = asked
                .headers
                .get("cookie")
                .is_some_and(|cookie| cookie.to_str().is_ok_and(|cookie| cookie.contains(PROXY_COOKIE)));
            if at(asked, AUTH) && known && response.status() == StatusCode::FOUND {
                *response = status(StatusCode::BAD_REQUEST);
            }
        }),
    },
    Fault {
        name: "url_asked_is_lost",
        group: Group::Redirects,
        story: "after the login the browser is at the service's root, not where it wanted to go",
        reference: Some("https://github.com/goauthentik/authentik/issues/6886"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-S04",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, CALLBACK) {
                location(response, |place| {
                    let url = url::Url::parse(place).ok()?;
                    Some(url.origin().ascii_serialization() + "/")
                });
            }
        }),
    },
    Fault {
        name: "query_is_lost",
        group: Group::Redirects,
        story: "the query of the URL asked for does not survive the login",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-S04",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, CALLBACK) {
                location(response, |place| Some(place.split('?').next().unwrap_or(place).to_owned()));
            }
        }),
    },
    Fault {
        name: "url_is_encoded_twice",
        group: Group::Redirects,
        story: "the URL asked for comes back with its percent signs encoded again",
        reference: Some("https://github.com/lklynet/aurral/issues/416"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-S04",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, CALLBACK) {
                location(response, |place| Some(place.replace('%', "%25")));
            }
        }),
    },
    Fault {
        name: "login_takes_a_detour",
        group: Group::Redirects,
        story: "an anonymous browser is sent through /start first: one hop more than before",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-S05",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            let host = asked.headers.get("x-forwarded-host").and_then(|host| host.to_str().ok());
            let path = asked.headers.get("x-forwarded-uri").and_then(|path| path.to_str().ok());
            if let (true, Some(host), Some(path)) = (at(asked, AUTH), host, path) {
                let back = format!("https://{host}{path}");
                let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
                location(response, |_| Some(format!("https://{host}{START}?rd={back}")));
            }
        }),
    },
    Fault {
        name: "authorize_of_its_own",
        group: Group::Redirects,
        story: "browsers are sent to an authorize endpoint below the application instead of the shared one",
        reference: None,
        breaks: "LOGIN-1",
        diagnosis: "SSO-P03",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, AUTH) {
                location(response, |place| {
                    place
                        .contains(AUTHORIZE)
                        .then(|| place.replace(AUTHORIZE, "/application/o/app/authorize/"))
                });
            }
        }),
    },
    Fault {
        name: "bot_check_in_front",
        group: Group::Redirects,
        story: "a check for bots in front of Authentik sends every browser round once more, with a parameter of its own",
        reference: Some("https://github.com/TecharoHQ/anubis/pull/368"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-R11",
        seam: Seam::requests(Link::Authentik, |request, _| {
            let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
            let browser = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
            let browser = browser.is_some_and(|accept| accept.contains("text/html"));
            let checked = path.starts_with("/application/o/") || path.starts_with(START);
            let known = query.contains("bot-check=");
            let get = request.method() == Method::GET;
            (get && browser && checked && !known).then(|| {
                let before = if query.is_empty() { String::new() } else { format!("{query}&") };
                redirect(&format!("{path}?{before}bot-check=passed"))
            })
        }),
    },
    Fault {
        name: "login_page_again",
        group: Group::Redirects,
        story: "the core forgets who has signed in: every service asks for the password again",
        reference: None,
        breaks: "LOGIN-3",
        diagnosis: "SSO-S06",
        seam: Seam::requests(Link::Authentik, |request, _| {
            let silent = cookie_sent(request, CORE_COOKIE).is_some();
            let came_by_flow = request.headers().get("referer").is_some();
            if silent && !came_by_flow && request.uri().path().starts_with(AUTHORIZE) {
                without_cookie(request, CORE_COOKIE);
            }
            None
        }),
    },
    Fault {
        name: "state_is_dropped",
        group: Group::Redirects,
        story: "the authorize endpoint answers without the state it was given",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-O12",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, AUTHORIZE) {
                location_parameter(response, "state", |_| None);
            }
        }),
    },
    Fault {
        name: "navigation_gets_401",
        group: Group::Redirects,
        story: "a browser without a session gets a bare 401 and no login",
        reference: Some("https://github.com/goauthentik/authentik/issues/11620"),
        breaks: "LOGIN-1",
        diagnosis: "SSO-P04",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, AUTH) && response.status() == StatusCode::FOUND {
                *response = said(StatusCode::UNAUTHORIZED, "unauthorized request");
            }
        }),
    },
    Fault {
        name: "core_session_ends_at_once",
        group: Group::Redirects,
        story: "the login flow sets no session cookie that lasts",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-S06",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, "/api/v3/flows/executor/") {
                set_cookies(response, CORE_COOKIE, |_| String::new());
            }
        }),
    },
];
