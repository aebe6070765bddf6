//! Identity headers.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Response, StatusCode, request};
use serde_json::Value;
use ssoproof_deployment::Deployment;

use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::files::Files;
use crate::faults::tamper::{AUTH, at, header, said};

const USERNAME: &str = "x-authentik-username";
const NAME: &str = "x-authentik-name";
const GROUPS: &str = "x-authentik-groups";
const UID: &str = "x-authentik-uid";
const EMAIL: &str = "x-authentik-email";

/// Edits the list of headers that the middleware copies.
fn listed(files: &mut Files, deployment: &Deployment, edit: impl FnOnce(&mut Vec<Value>)) -> bool {
    let list = files.forward_auth(deployment).and_then(|auth| auth.get_mut("authResponseHeaders"));
    list.and_then(Value::as_array_mut).map(edit).is_some()
}

/// Takes `name` (in any case) off that list.
fn unlisted(files: &mut Files, deployment: &Deployment, name: &str) -> bool {
    let mut found = false;
    listed(files, deployment, |list| {
        list.retain(|entry| {
            let keep = entry.as_str().is_none_or(|entry| !entry.eq_ignore_ascii_case(name));
            found |= !keep;
            keep
        });
    }) && found
}

/// Takes the list away and puts a pattern in its place.
fn pattern(files: &mut Files, deployment: &Deployment, pattern: &str) -> bool {
    let Some(auth) = files.forward_auth(deployment) else { return false };
    auth.remove("authResponseHeaders");
    auth.insert("authResponseHeadersRegex".to_owned(), pattern.into());
    true
}

/// Changes an identity header of an answer that lets a request pass.
fn identity(
    asked: &request::Parts,
    response: &mut Response<Bytes>,
    name: &'static str,
    change: impl Fn(&[u8]) -> Option<Vec<u8>>,
) {
    if at(asked, AUTH) && response.status() == StatusCode::OK {
        header(response, name, change);
    }
}

/// Bytes as a lossy text, changed.
fn text(value: &[u8], change: impl Fn(&str) -> String) -> Option<Vec<u8>> {
    Some(change(&String::from_utf8_lossy(value)).into_bytes())
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "username_unlisted",
        group: Group::Headers,
        story: "the middleware does not copy X-authentik-username: absent after a login, and a client may send its own",
        reference: Some("https://github.com/traefik/traefik/issues/13224"),
        breaks: "HDR-1",
        diagnosis: "SSO-H01",
        seam: Seam::Files(|files, deployment| unlisted(files, deployment, USERNAME)),
    },
    Fault {
        name: "email_unlisted",
        group: Group::Headers,
        story: "the middleware does not copy X-authentik-email",
        reference: Some("https://github.com/traefik/traefik/issues/13224"),
        breaks: "HDR-2",
        diagnosis: "SSO-H01",
        seam: Seam::Files(|files, deployment| unlisted(files, deployment, EMAIL)),
    },
    Fault {
        name: "name_unlisted",
        group: Group::Headers,
        story: "the middleware does not copy X-authentik-name",
        reference: Some("https://github.com/traefik/traefik/issues/13224"),
        breaks: "HDR-3",
        diagnosis: "SSO-H01",
        seam: Seam::Files(|files, deployment| unlisted(files, deployment, NAME)),
    },
    Fault {
        name: "groups_unlisted",
        group: Group::Headers,
        story: "the middleware does not copy X-authentik-groups",
        reference: Some("https://github.com/traefik/traefik/issues/13224"),
        breaks: "HDR-4",
        diagnosis: "SSO-H01",
        seam: Seam::Files(|files, deployment| unlisted(files, deployment, GROUPS)),
    },
    Fault {
        name: "uid_unlisted",
        group: Group::Headers,
        story: "the middleware does not copy X-authentik-uid",
        reference: Some("https://github.com/traefik/traefik/issues/13224"),
        breaks: "HDR-5",
        diagnosis: "SSO-H01",
        seam: Seam::Files(|files, deployment| unlisted(files, deployment, UID)),
    },
    Fault {
        name: "entitlements_unlisted",
        group: Group::Headers,
        story: "a header that Authentik sends only to some users is not listed, so that others can forge it",
        reference: Some("https://github.com/traefik/traefik/issues/13224"),
        breaks: "HDR-7",
        diagnosis: "SSO-H01",
        seam: Seam::Files(|files, deployment| unlisted(files, deployment, "x-authentik-entitlements")),
    },
    Fault {
        name: "header_misspelt",
        group: Group::Headers,
        story: "authResponseHeaders names a header that Authentik never sends",
        reference: None,
        breaks: "HDR-1",
        diagnosis: "SSO-H01",
        seam: Seam::Files(|files, deployment| {
            listed(files, deployment, |list| {
                for entry in list {
                    if entry.as_str().is_some_and(|entry| entry.eq_ignore_ascii_case(USERNAME)) {
                        *entry = "X-authentik-user-name".into();
                    }
                }
            })
        }),
    },
    Fault {
        name: "pattern_matches_nothing",
        group: Group::Headers,
        story: "authResponseHeadersRegex is written in lower case and matches no canonical name",
        reference: Some(
            "https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/forwardauth/",
        ),
        breaks: "HDR-1",
        diagnosis: "SSO-H03",
        seam: Seam::Files(|files, deployment| pattern(files, deployment, "^x-authentik-")),
    },
    Fault {
        name: "pattern_takes_too_much",
        group: Group::Headers,
        story: "authResponseHeadersRegex matches X-Forwarded-* too and takes them off the request",
        reference: None,
        breaks: "HDR-9",
        diagnosis: "SSO-H03",
        seam: Seam::Files(|files, deployment| pattern(files, deployment, "^X-")),
    },
    Fault {
        name: "nothing_listed",
        group: Group::Headers,
        story: "the middleware copies no header at all",
        reference: None,
        breaks: "HDR-1",
        diagnosis: "SSO-H01",
        seam: Seam::Files(|files, deployment| listed(files, deployment, Vec::clear)),
    },
    Fault {
        name: "groups_by_comma",
        group: Group::Headers,
        story: "groups are parted by a comma, which a group's name may hold",
        reference: None,
        breaks: "HDR-6",
        diagnosis: "SSO-H02",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            identity(asked, response, GROUPS, |value| text(value, |groups| groups.replace('|', ",")))
        }),
    },
    Fault {
        name: "first_group_only",
        group: Group::Headers,
        story: "only the first group of a user arrives",
        reference: None,
        breaks: "HDR-6",
        diagnosis: "SSO-H04",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            identity(asked, response, GROUPS, |value| {
                text(value, |groups| groups.split('|').next().unwrap_or_default().to_owned())
            })
        }),
    },
    Fault {
        name: "name_percent_encoded",
        group: Group::Headers,
        story: "a name that is no ASCII arrives percent-encoded",
        reference: Some("https://github.com/goauthentik/authentik/pull/26093"),
        breaks: "HDR-8",
        diagnosis: "SSO-H05",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            identity(asked, response, NAME, |value| {
                let set = percent_encoding::CONTROLS;
                Some(percent_encoding::percent_encode(value, set).to_string().into_bytes())
            })
        }),
    },
    Fault {
        name: "name_in_latin_1",
        group: Group::Headers,
        story: "a name that is no ASCII arrives in Latin-1",
        reference: Some("https://github.com/goauthentik/authentik/issues/24156"),
        breaks: "HDR-8",
        diagnosis: "SSO-H05",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            identity(asked, response, NAME, |value| {
                let name = String::from_utf8_lossy(value);
                Some(name.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect())
            })
        }),
    },
    Fault {
        name: "name_encoded_twice",
        group: Group::Headers,
        story: "a name that is no ASCII arrives as UTF-8 of its UTF-8",
        reference: Some("https://github.com/netbox-community/netbox/issues/14979"),
        breaks: "HDR-8",
        diagnosis: "SSO-H05",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            identity(asked, response, NAME, |value| {
                Some(value.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes())
            })
        }),
    },
    Fault {
        name: "username_is_email",
        group: Group::Headers,
        story: "X-authentik-username carries the e-mail address",
        reference: None,
        breaks: "HDR-1",
        diagnosis: "SSO-H04",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            let email = response.headers().get(EMAIL).cloned();
            if let Some(email) = email {
                identity(asked, response, USERNAME, |_| Some(email.as_bytes().to_vec()));
            }
        }),
    },
    Fault {
        name: "uid_is_short",
        group: Group::Headers,
        story: "the unique user id changes its form, and services take everybody for somebody new",
        reference: None,
        breaks: "HDR-5",
        diagnosis: "SSO-H04",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            identity(asked, response, UID, |value| value.get(..32).map(<[u8]>::to_vec))
        }),
    },
    Fault {
        name: "identity_reaches_browser",
        group: Group::Headers,
        story: "the service's answer carries the identity headers to the browser",
        reference: None,
        breaks: "HDR-1",
        diagnosis: "SSO-H06",
        seam: Seam::answers(Link::Services, |asked, response, _| {
            for (name, value) in &asked.headers {
                if name.as_str().starts_with("x-authentik-") {
                    response.headers_mut().insert(name, value.clone());
                }
            }
        }),
    },
    Fault {
        name: "header_twice",
        group: Group::Headers,
        story: "the service gets the username twice",
        reference: None,
        breaks: "HDR-1",
        diagnosis: "SSO-H04",
        seam: Seam::requests(Link::Services, |request, _| {
            if let Some(value) = request.headers().get(USERNAME).cloned() {
                request.headers_mut().append(HeaderName::from_static(USERNAME), value);
            }
            None
        }),
    },
    Fault {
        name: "header_of_someone_else",
        group: Group::Headers,
        story: "a cache between gateway and service hands out somebody else's identity",
        reference: None,
        breaks: "HDR-1",
        diagnosis: "SSO-H04",
        seam: Seam::requests(Link::Services, |request, _| {
            if request.headers().contains_key(USERNAME) {
                request.headers_mut().insert(USERNAME, HeaderValue::from_static("akadmin"));
            }
            None
        }),
    },
    Fault {
        name: "header_too_big",
        group: Group::Headers,
        story: "the service takes no more than 2 KiB of headers and answers 431",
        reference: Some("https://github.com/goauthentik/authentik/issues/2199"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-H07",
        seam: Seam::requests(Link::Services, |request, _| {
            let size: usize =
                request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
            (size > 2048)
                .then(|| said(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"))
        }),
    },
    Fault {
        name: "header_too_big_for_nginx",
        group: Group::Headers,
        story: "the nginx before the service takes no line of more than 1 KiB and answers 400",
        reference: Some("https://github.com/goauthentik/authentik/issues/2199"),
        breaks: "LOGIN-2",
        diagnosis: "SSO-H07",
        seam: Seam::requests(Link::Services, |request, _| {
            let page = "<html><head><title>400 Request Header Or Cookie Too Large</title></head></html>";
            let long = request.headers().values().any(|value| value.len() > 1024);
            long.then(|| said(StatusCode::BAD_REQUEST, page))
        }),
    },
    Fault {
        name: "token_too_long",
        group: Group::Headers,
        story: "X-authentik-jwt carries what every group of the user holds, and is longer than 8 KiB",
        reference: Some("https://github.com/goauthentik/authentik/issues/2199"),
        breaks: "HDR-10",
        diagnosis: "SSO-H07",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            identity(asked, response, "x-authentik-jwt", |token| Some([token, &[b'A'; 8192]].concat()))
        }),
    },
    Fault {
        name: "token_left_out",
        group: Group::Headers,
        story: "X-authentik-jwt is empty",
        reference: None,
        breaks: "HDR-1",
        diagnosis: "SSO-H04",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            identity(asked, response, "x-authentik-jwt", |_| Some(Vec::new()))
        }),
    },
];
