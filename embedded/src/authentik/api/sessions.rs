//! `core/authenticated_sessions/` (`50-session-deleted-by-admin`).

use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::call::View;
use super::collection::{READ, Resource};
use super::users::time;
use crate::authentik::model::CoreSession;
use crate::authentik::state::State;

pub(super) struct Sessions;

impl Resource for Sessions {
    /// The key of the cookie; paths name the UUID.
    type Key = String;
    type Item = CoreSession;

    const MODEL: &'static str = "AuthenticatedSession";
    const METHODS: &'static str = READ;
    const REMOVE: Option<fn(&mut State, &String)> = Some(|state, key| state.end_session(key));

    fn rows(state: &State) -> Vec<&CoreSession> {
        state.sessions.values().filter(|session| session.user.is_some()).collect()
    }

    fn find(state: &State, segment: &str) -> Option<String> {
        let mut sessions = state.sessions.iter().filter(|(_, session)| session.user.is_some());
        sessions.find(|(_, session)| session.uuid.to_string() == segment).map(|(key, _)| key.clone())
    }

    fn item<'s>(state: &'s State, key: &String) -> Option<&'s CoreSession> {
        state.sessions.get(key)
    }

    /// The user agent is shown as it was sent; the parts a real one reads out of it are left at `Other`.
    fn show(_view: View<'_>, session: &CoreSession) -> Value {
        let expires = session.last_used.checked_add(24.hours()).unwrap_or(session.last_used);
        json!({
            "uuid": session.uuid,
            "current": false,
            "user_agent": {
                "string": session.user_agent,
                "user_agent": { "family": "Other", "major": null, "minor": null, "patch": null },
                "os": {
                    "family": "Other", "major": null, "minor": null, "patch": null, "patch_minor": null,
                },
                "device": { "family": "Other", "brand": null, "model": null },
            },
            "geo_ip": null,
            "asn": null,
            "user": session.user,
            "last_ip": session.last_ip,
            "last_user_agent": session.user_agent,
            "last_used": time(session.last_used),
            "expires": time(expires),
        })
    }

    fn order(session: &CoreSession) -> String {
        session.uuid.to_string()
    }

    fn filter(view: View<'_>, session: &CoreSession, name: &str) -> Option<String> {
        let user = view.state.users.get(&session.user?)?;
        (name == "user__username").then(|| user.username.clone())
    }
}
