//! SSO-L02.

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, Subject};
use crate::evidence::parameter;

/// The logout link leaves the session alive.
pub(super) struct LogoutDoesNothing;

impl Diagnosis for LogoutDoesNothing {
    fn code(&self) -> &'static str {
        "SSO-L02"
    }

    fn explanation(&self) -> &'static str {
        "The logout link leaves the session alive\n\n\
         The invalidation flow ends the core session in its user-logout stage. Without that stage, or when \
         something in front of Authentik answers in its place, its page comes and goes and the user is still \
         signed in.\n\
         Bind a user-logout stage to the flow, and let nothing cache `/api/v3/flows/`."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let hop = subject.after_flow().find(|hop| {
            subject.is_auth(&hop.request.url)
                && hop.request.url.path() == "/if/user/"
                && hop.status() == Some(200)
                || hop.request.url.path() == AUTHORIZE
                    && hop
                        .redirect_target()
                        .is_some_and(|to| !subject.is_auth(&to) && parameter(&to, "code").is_some())
        })?;
        Some(Diagnosed {
            code: self.code(),
            title: format!("after the invalidation flow hop {} finds the user still signed in", hop.number()),
            pointer: subject.line(subject.deployment.auth.logout_url.place),
            help: "bind a user-logout stage to the flow, and let nothing cache `/api/v3/flows/`".to_owned(),
        })
    }
}
