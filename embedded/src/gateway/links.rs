//! The middlewares of a router, one after the other.

use http::{HeaderMap, HeaderName, HeaderValue};
use ssoproof_deployment::traefik::{HeaderRules, Link, Middleware};

use super::answer::{self, Answer};
use super::call::Call;
use super::forward_auth::{self, Decision};
use super::shared::Shared;

/// What is done to the answer on the way back, the last middleware first.
#[derive(Default)]
pub(super) struct WayBack<'a> {
    cookies: Vec<HeaderValue>,
    headers: Vec<&'a HeaderRules>,
}

impl WayBack<'_> {
    pub(super) fn finish(&self, answer: &mut Answer) {
        for rules in self.headers.iter().rev() {
            apply(&rules.response, answer.headers_mut());
        }
        if !self.cookies.is_empty() {
            forward_auth::add_cookies(answer, &self.cookies);
        }
    }
}

/// Takes `call` through `links`; an answer means that it goes no further.
pub(super) async fn pass<'a>(
    links: &'a [Link],
    call: &mut Call,
    shared: &Shared,
    back: &mut WayBack<'a>,
) -> Option<Answer> {
    for link in links {
        match &link.middleware {
            Middleware::ForwardAuth(auth) => {
                let (decision, broken) =
                    forward_auth::ask(auth, call, &shared.client, &shared.settings.profile).await;
                if let Some(reason) = broken {
                    shared.log(format!(
                        "ERR Error calling {}. Cause: {reason} middlewareName={}",
                        auth.address, link.name
                    ));
                }
                match decision {
                    Decision::Through(cookies) => back.cookies.extend(cookies),
                    Decision::Stop(answer) => return Some(answer),
                }
            }
            Middleware::Headers(rules) => {
                apply(&rules.request, &mut call.headers);
                back.headers.push(rules);
            }
            Middleware::RedirectScheme { scheme, port, permanent } => {
                let own = if call.tls { "https" } else { "http" };
                if own != scheme {
                    let host = call.host.split(':').next().unwrap_or_default();
                    let port = port.as_ref().map(|port| format!(":{port}")).unwrap_or_default();
                    return Some(answer::redirect(
                        &format!("{scheme}://{host}{port}{}", call.target()),
                        *permanent,
                    ));
                }
            }
            Middleware::StripPrefix(prefixes) => {
                let stripped = prefixes
                    .iter()
                    .find_map(|prefix| Some((prefix, call.path.strip_prefix(prefix.as_str())?)));
                if let Some((prefix, rest)) = stripped {
                    let value = HeaderValue::from_str(prefix);
                    call.path = format!("/{}", rest.trim_start_matches('/'));
                    if let Ok(value) = value {
                        call.headers.insert("x-forwarded-prefix", value);
                    }
                }
            }
            Middleware::AddPrefix(prefix) => call.path = format!("{prefix}{}", call.path),
            Middleware::Unmodelled(kind) => {
                shared.log(format!("WRN middleware {} of type {kind} is not modelled: passed by", link.name));
            }
            // Chains are opened when the configuration is built.
            Middleware::Chain(_) => {}
        }
    }
    None
}

/// Sets headers; an empty value removes one.
fn apply(rules: &[(String, String)], headers: &mut HeaderMap) {
    for (name, value) in rules {
        let Ok(name) = name.parse::<HeaderName>() else { continue };
        if value.is_empty() {
            headers.remove(name);
        } else if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
}
