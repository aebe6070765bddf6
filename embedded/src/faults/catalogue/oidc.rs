//! OpenID Connect between Authentik and apps.

use http::StatusCode;
use ssoproof_deployment::Deployment;

use crate::authentik::State;
use crate::authentik::model::{Provider, RedirectUri};
use crate::authentik::oauth2::redirect_uri::Matching;
use crate::faults::fault::{Fault, Group, Link, Seam};
use crate::faults::tamper::{AUTHORIZE, TOKEN, USERINFO, at, json, location_parameter, said, status};

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Edits the provider of every app.
pub(super) fn providers(state: &mut State, deployment: &Deployment, edit: impl Fn(&mut Provider)) -> bool {
    let ids: Vec<&str> =
        deployment.providers().into_iter().map(|(_, provider)| provider.client_id.as_str()).collect();
    let mut found = false;
    for provider in state.providers.values_mut().filter(|provider| ids.contains(&provider.client_id.as_str()))
    {
        edit(provider);
        found = true;
    }
    found
}

/// Edits every redirect URI of every app.
fn redirect_uris(state: &mut State, deployment: &Deployment, edit: impl Fn(&mut RedirectUri)) -> bool {
    providers(state, deployment, |provider| provider.redirect_uris.iter_mut().for_each(&edit))
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "redirect_uri_with_slash",
        group: Group::Oidc,
        story: "a redirect URI is registered with a slash at its end that the app does not send",
        reference: Some("https://github.com/goauthentik/authentik/issues/22572"),
        breaks: "GRAF-1",
        diagnosis: "SSO-O01",
        seam: Seam::Database(|state, deployment| redirect_uris(state, deployment, |uri| uri.url.push('/'))),
    },
    Fault {
        name: "redirect_uri_by_http",
        group: Group::Oidc,
        story: "a redirect URI is registered with http",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-O01",
        seam: Seam::Database(|state, deployment| {
            redirect_uris(state, deployment, |uri| uri.url = uri.url.replacen("https://", "http://", 1))
        }),
    },
    Fault {
        name: "redirect_uri_as_pattern",
        group: Group::Oidc,
        story: "a redirect URI is registered as an expression that matches other hosts",
        reference: Some("https://docs.goauthentik.io/docs/add-secure-apps/providers/oauth2/"),
        breaks: "OIDC-2",
        diagnosis: "SSO-O04",
        seam: Seam::Database(|state, deployment| {
            redirect_uris(state, deployment, |uri| {
                uri.matching = Matching::Regex;
                uri.url = ".*".to_owned();
            })
        }),
    },
    Fault {
        name: "client_secret_of_old",
        group: Group::Oidc,
        story: "Authentik and the apps hold different client secrets",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-O05",
        seam: Seam::Database(|state, deployment| {
            providers(state, deployment, |provider| {
                provider.client_secret = "rotated-and-not-told".to_owned()
            })
        }),
    },
    Fault {
        name: "client_id_of_old",
        group: Group::Oidc,
        story: "Authentik does not know the client id that the apps send",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-O06",
        seam: Seam::Database(|state, deployment| {
            providers(state, deployment, |provider| provider.client_id.push_str("-old"))
        }),
    },
    Fault {
        name: "issuer_in_other_case",
        group: Group::Oidc,
        story: "the issuer in the discovery document differs from the tokens' by the case of its host",
        reference: Some("https://github.com/goauthentik/authentik/issues/10848"),
        breaks: "OIDC-1",
        diagnosis: "SSO-O07",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if asked.uri.path().ends_with(DISCOVERY) {
                json(response, |document| {
                    document["issuer"] = document["issuer"].as_str().map(in_other_case).into();
                });
            }
        }),
    },
    Fault {
        name: "discovery_by_http",
        group: Group::Oidc,
        story: "the discovery document names its endpoints with http",
        reference: Some("https://github.com/goauthentik/authentik/issues/25607"),
        breaks: "OIDC-1",
        diagnosis: "SSO-O07",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if asked.uri.path().ends_with(DISCOVERY) {
                json(response, |document| {
                    let text = document.to_string().replace("https://", "http://");
                    *document = serde_json::from_str(&text).unwrap_or_default();
                });
            }
        }),
    },
    Fault {
        name: "discovery_is_404",
        group: Group::Oidc,
        story: "the blueprints are not applied yet: the applications have no discovery document",
        reference: Some("https://github.com/goauthentik/authentik/issues/22439"),
        breaks: "OIDC-1",
        diagnosis: "SSO-O08",
        seam: Seam::requests(Link::Authentik, |request, _| {
            request.uri().path().ends_with(DISCOVERY).then(|| said(StatusCode::NOT_FOUND, "Not Found"))
        }),
    },
    Fault {
        name: "token_endpoint_breaks",
        group: Group::Oidc,
        story: "the token endpoint answers 500",
        reference: None,
        breaks: "GRAF-1",
        diagnosis: "SSO-O09",
        seam: Seam::requests(Link::Authentik, |request, _| {
            request.uri().path().starts_with(TOKEN).then(|| status(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "userinfo_is_forbidden",
        group: Group::Oidc,
        story: "the userinfo endpoint refuses good tokens",
        reference: None,
        breaks: "OIDC-1",
        diagnosis: "SSO-O09",
        seam: Seam::requests(Link::Authentik, |request, _| {
            request.uri().path().starts_with(USERINFO).then(|| status(StatusCode::FORBIDDEN))
        }),
    },
    Fault {
        name: "verifier_is_not_asked",
        group: Group::Oidc,
        story: "challenge and verifier are lost on the way, so that nobody checks who redeems a code",
        reference: Some("https://datatracker.ietf.org/doc/html/rfc7636"),
        breaks: "OIDC-2",
        diagnosis: "SSO-O10",
        seam: Seam::requests(Link::Authentik, |request, _| {
            let without = |text: &str, name: &str| {
                let kept: Vec<&str> = text.split('&').filter(|pair| !pair.starts_with(name)).collect();
                kept.join("&")
            };
            let uri = request.uri().to_string();
            if let Some((path, query)) = uri.split_once('?').filter(|(path, _)| *path == AUTHORIZE) {
                if let Ok(uri) = format!("{path}?{}", without(query, "code_challenge")).parse() {
                    *request.uri_mut() = uri;
                }
            } else if uri == TOKEN {
                let form = without(&String::from_utf8_lossy(request.body()), "code_verifier");
                request.headers_mut().insert(http::header::CONTENT_LENGTH, form.len().into());
                *request.body_mut() = form.into();
            }
            None
        }),
    },
    Fault {
        name: "code_is_lost",
        group: Group::Oidc,
        story: "the authorize endpoint sends browsers back without a code",
        reference: None,
        breaks: "LOGIN-2",
        diagnosis: "SSO-O12",
        seam: Seam::answers(Link::Authentik, |asked, response, _| {
            if at(asked, AUTHORIZE) {
                location_parameter(response, "code", |_| None);
            }
        }),
    },
    Fault {
        name: "subject_is_number",
        group: Group::Oidc,
        story: "the provider's subject mode was changed: apps take everybody for somebody new",
        reference: Some("https://github.com/grafana/grafana/issues/74154"),
        breaks: "OIDC-1",
        diagnosis: "SSO-K05",
        seam: Seam::Database(|state, deployment| {
            providers(state, deployment, |provider| provider.sub_mode = "user_id".to_owned())
        }),
    },
    Fault {
        name: "issuer_is_global",
        group: Group::Oidc,
        story: "the provider's issuer is the host alone, not the application's",
        reference: None,
        breaks: "OIDC-1",
        diagnosis: "SSO-O07",
        seam: Seam::Database(|state, deployment| {
            providers(state, deployment, |provider| provider.issuer_mode = "global".to_owned())
        }),
    },
];

/// `url` with the first letter of its host as a capital.
fn in_other_case(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (first, rest) = rest.split_at(rest.chars().next().map_or(0, char::len_utf8));
            format!("{scheme}://{}{rest}", first.to_uppercase())
        }
        None => url.to_owned(),
    }
}
