//! SSO-L07.

use super::subject::{AUTHORIZE, Diagnosed, Diagnosis, Subject, goes_to_end_session};

/// The outpost's sign_out leaves the service open.
pub(super) struct SignOutKeeps;

impl Diagnosis for SignOutKeeps {
    fn code(&self) -> &'static str {
        "SSO-L07"
    }

    fn explanation(&self) -> &'static str {
        "The outpost's sign_out leaves the service open\n\n\
         sign_out must drop the user's proxy sessions. When the next visit gets the service without a single \
         redirect the session is still there.\n\
         See what answers in the outpost's place."
    }

    fn examine(&self, subject: &Subject<'_>) -> Option<Diagnosed> {
        let out = subject
            .ledger
            .hops
            .iter()
            .find(|hop| hop.request.url.path().starts_with("/outpost.goauthentik.io/sign_out"))?;
        let started = goes_to_end_session(out);
        let hop = subject.ledger.of_actor(&out.actor).filter(|hop| hop.index > out.index).find(|hop| {
            hop.request.url.host_str() == out.request.url.host_str() && subject.ledger.arrived(hop).is_some()
        });
        let title = match (started, hop) {
            (_, Some(hop)) if !subject.between(out, hop).any(|hop| hop.request.url.path() == AUTHORIZE) => {
                format!(
                    "hop {} signs out and hop {} gets the service without a redirect",
                    out.number(),
                    hop.number()
                )
            }
            // Nobody was signed in.
            (false, _) if subject.proxy_cookie(out).is_none() => return None,
            (false, _) => {
                format!("sign_out (hop {}) does not lead to the end-session endpoint", out.number())
            }
            _ => return None,
        };
        Some(Diagnosed {
            code: self.code(),
            title,
            pointer: None,
            help: "see what answers in the outpost's place".to_owned(),
        })
    }
}
