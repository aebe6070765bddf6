//! Causes that have to do with the outpost and its callback.

use url::Url;

use super::super::{Cause, Round};
use super::{Rule, host, is_authorize, is_callback, path_ends};
use crate::evidence::{Hop, parameter};

/// SSO-L16.
pub(super) const OTHER_HOST: Rule = Rule {
    code: "SSO-L16",
    explanation: Some(
        "The login is for another host than was asked for\n\n\
         The outpost finds the app by `X-Forwarded-Host`. When `forwardAuth.address` is the public auth URL the request \
         passes Traefik again, which writes the auth host there; an outpost with one provider hands every host to it.\n\
         Give forwardAuth an internal address, or trust Traefik's own address (`forwardedHeaders.trustedIPs`); add the \
         host's own provider to the outpost.",
    ),
    examine: other_host,
};

fn other_host(hops: &[&Hop], _: Option<&Round>) -> Option<Cause> {
    hops.iter().find_map(|hop| {
        let authorize = hop.redirect_target().filter(|target| target.path().trim_end_matches('/').ends_with("/authorize"))?;
        let back = parameter(&authorize, "redirect_uri")?;
        let back = Url::parse(&back).ok()?;
        let by_outpost = back.path().contains("outpost.goauthentik.io") || back.query().is_some_and(|query| query.contains("X-authentik-auth-callback"));
        if !by_outpost || back.host_str() == hop.request.url.host_str() {
            return None;
        }
        let at_auth = back.host_str() == authorize.host_str();
        let help = if at_auth {
            "use an internal address in forwardAuth, or trust Traefik's own address in forwardedHeaders.trustedIPs; a \
             domain-level provider calls back there on purpose"
        } else {
            "add a provider for this host to the outpost: with one provider it takes every host"
        };
        Some(Cause {
            code: OTHER_HOST.code,
            title: format!("{} was asked for, and the login is for {}", host(hop), back.host_str().unwrap_or_default()),
            help: help.to_owned(),
            hop: Some(hop.index),
        })
    })
}

/// SSO-S01.
pub(super) const STATE_MISMATCH: Rule = Rule { code: "SSO-S01", explanation: None, examine: state_mismatch };

fn state_mismatch(hops: &[&Hop], _: Option<&Round>) -> Option<Cause> {
    let hop = hops.iter().find(|hop| {
        let callback = is_callback(hop) || path_ends(hop, "/outpost.goauthentik.io/callback");
        callback && hop.status() == Some(400)
    })?;
    let sent = hop.request.cookies().iter().any(|(name, _)| name.starts_with("authentik_proxy"));
    let why = if sent {
        "the cookie came along, so another outpost made the state: outpost sessions are per replica"
    } else {
        "no session cookie came along to this host"
    };
    Some(Cause {
        code: STATE_MISMATCH.code,
        title: format!("state/session mismatch at the callback of {}: {why}", host(hop)),
        help: "one outpost must serve the middleware and the callback (add a sticky cookie, or use the embedded outpost, \
               whose sessions are in the database since 2025.10), and the callback's host must be the cookie's or below it"
            .to_owned(),
        hop: Some(hop.index),
    })
}

/// SSO-L17.
pub(super) const CODE_WITHOUT_SESSION: Rule = Rule {
    code: "SSO-L17",
    explanation: Some(
        "The code is redeemed but no session is made\n\n\
         The callback sends the browser back to the app, and the app sends it to authorize at once. The outpost threw the \
         login away: the token's issuer is not byte for byte its `AUTHENTIK_HOST` (a capital letter, a slash, a port), it \
         cannot fetch the JWKS, or the session's cookie is not sent back.\n\
         Compare `AUTHENTIK_HOST`, the `issuer` of discovery and `iss` of a token (`ssoproof explain token --issuer`), and \
         read the outpost's log.",
    ),
    examine: code_without_session,
};

fn code_without_session(hops: &[&Hop], found: Option<&Round>) -> Option<Cause> {
    found.filter(|found| !found.sign_out_undone)?;
    let count = hops.len();
    let callbacks = (0..count).filter(|at| hops.get(*at).is_some_and(|hop| is_callback(hop)));
    for at in callbacks {
        let callback = hops.get(at)?;
        let back = callback
            .redirect_target()
            .is_some_and(|target| target.host_str() == callback.request.url.host_str());
        let after = hops.get(at + 1..(at + 5).min(count))?;
        let typed = after.iter().any(|hop| hop.request.method != "GET");
        let authorize = after.iter().find(|hop| is_authorize(hop));
        if let (true, false, Some(_)) = (back, typed, authorize) {
            return Some(Cause {
                code: CODE_WITHOUT_SESSION.code,
                title: format!("code redeemed but session not created at {}", host(callback)),
                help: "compare AUTHENTIK_HOST with the token's issuer byte for byte (case, trailing slash, default port), \
                       see that the outpost can fetch the JWKS, and that its cookie comes back"
                    .to_owned(),
                hop: Some(callback.index),
            });
        }
    }
    None
}
