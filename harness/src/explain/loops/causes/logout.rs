//! Causes that have to do with signing out.

use super::super::{Cause, Round};
use super::{Rule, host, path_ends};
use crate::evidence::Hop;

/// SSO-L15.
pub(super) const DEMANDS_A_SESSION: Rule = Rule {
    code: "SSO-L15",
    explanation: Some(
        "End-session demands a session (authentik #24012)\n\n\
         Authentik's end-session endpoint asks for a login when the core session is gone already, and `next` leads back to \
         it: whoever signs in is signed out at once, and an app that signs in by itself goes round. By the specification \
         it should send the browser on to the post-logout URI.\n\
         Sign out of the app before the core session ends, or send users to the invalidation flow; never type a \
         password there.",
    ),
    examine: demands_a_session,
};

fn demands_a_session(hops: &[&Hop], _: Option<&Round>) -> Option<Cause> {
    let hop = hops.iter().find(|hop| {
        let ends_session = path_ends(hop, "/end-session");
        ends_session
            && hop.redirect_target().is_some_and(|target| {
                let login = target.path().contains("authentication") || target.path().contains("/login");
                let back = |value: &str| value.contains("end-session");
                login && target.query_pairs().any(|(_, value)| back(&value))
            })
    })?;
    Some(Cause {
        code: DEMANDS_A_SESSION.code,
        title: format!("end-session of {} demands a session (authentik #24012)", host(hop)),
        help: "sign out of the app first, or use the invalidation flow; do not sign in on this page"
            .to_owned(),
        hop: Some(hop.index),
    })
}

/// SSO-L01.
pub(super) const UNDONE: Rule = Rule { code: "SSO-L01", explanation: None, examine: undone };

fn undone(_: &[&Hop], found: Option<&Round>) -> Option<Cause> {
    let found = found.filter(|found| found.sign_out_undone)?;
    Some(Cause {
        code: UNDONE.code,
        title: "a sign-out is undone by the next visit: the core session lives".to_owned(),
        help: "sign users out at the invalidation flow".to_owned(),
        hop: Some(found.turns_at),
    })
}
