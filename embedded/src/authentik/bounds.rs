//! What the database may grow to: whoever opens one session too many ends those that were longest unused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::model::CoreSession;
use super::oauth2::id_token::session_hash;
use super::state::State;

/// The most core sessions, and the most outpost sessions.
const MOST: usize = 2_048;

impl State {
    /// Keeps `session` under `key`.
    pub(crate) fn open_session(&mut self, key: String, session: CoreSession) {
        if self.sessions.len() >= MOST {
            self.end_longest_unused(MOST / 4);
        }
        if self.proxy_sessions.len() >= MOST {
            let ended = first(&self.proxy_sessions, MOST / 4, |session| session.expires);
            self.proxy_sessions.retain(|id, _| !ended.contains(id));
        }
        self.sessions.insert(key, session);
    }

    /// Ends `count` core sessions with what came of them, and drops grants that have expired.
    fn end_longest_unused(&mut self, count: usize) {
        let (ended, now) = (first(&self.sessions, count, |session| session.last_used), Timestamp::now());
        self.sessions.retain(|key, _| !ended.contains(key));
        for grants in [&mut self.codes, &mut self.access_tokens, &mut self.refresh_tokens] {
            grants.retain(|_, grant| {
                grant.expires > now && grant.session.as_ref().is_none_or(|session| !ended.contains(session))
            });
        }
        let sids: BTreeSet<String> = ended.iter().map(|key| session_hash(key)).collect();
        self.proxy_sessions.retain(|_, proxy| {
            let sid = proxy.claims.get("sid").and_then(Value::as_str);
            sid.is_none_or(|sid| !sids.contains(sid))
        });
    }
}

/// The keys of the `count` rows with the earliest `time`.
fn first<V>(rows: &BTreeMap<String, V>, count: usize, time: impl Fn(&V) -> Timestamp) -> BTreeSet<String> {
    let mut keys: Vec<(Timestamp, &String)> = rows.iter().map(|(key, row)| (time(row), key)).collect();
    keys.sort_unstable();
    keys.into_iter().take(count).map(|(_, key)| key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan as _};
    use uuid::Uuid;

    use super::{CoreSession, MOST, State};

    fn session(at: i64) -> CoreSession {
        CoreSession {
            uuid: Uuid::nil(),
            user: None,
            signed_in: None,
            methods: Vec::new(),
            csrf: String::new(),
            plan: None,
            refused_login: None,
            user_agent: String::new(),
            last_ip: String::new(),
            last_used: Timestamp::UNIX_EPOCH + at.seconds(),
        }
    }

    #[test]
    fn sessions_have_a_bound_and_the_longest_unused_goes_first() {
        let mut state = State::default();
        for at in 0..3 * MOST {
            state.open_session(format!("{at:08}"), session(i64::try_from(at).unwrap()));
            assert!(state.sessions.len() <= MOST);
        }
        let last = 3 * MOST - 1;
        assert!(state.sessions.contains_key(&format!("{last:08}")));
        assert!(!state.sessions.contains_key("00000000"));
        assert!(state.sessions.len() >= MOST / 2);
    }
}
