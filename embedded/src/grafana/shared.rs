//! What the parts of one Grafana share: its settings, users, sessions and the last sign-ins.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::{Duration, Instant};

use http::HeaderMap;
use serde::Serialize;

use super::cookies::{self, Options};
use super::oauth::Provider;
use super::role::Mapping;
use super::settings::Settings;
use super::users::{User, Users};
use crate::bounded::Bounded;
use crate::digest::hex;

/// The name of the session cookie.
pub(super) const SESSION_COOKIE: &str = "grafana_session";
/// Above this many sessions all are forgotten; nothing here lives that long.
const MAX_SESSIONS: usize = 2_048;
/// How many errors wait for the login page to show them; above, all are forgotten.
const MAX_ERRORS: usize = 1_000;
/// How many sign-ins are remembered.
const MAX_SIGN_INS: usize = 500;
/// A token this near its end counts as expired, as in Go's oauth2 library.
const LEEWAY: Duration = Duration::from_secs(10);

/// One finished sign-in, let in or refused.
#[derive(Clone, Debug, Serialize)]
pub struct SignIn {
    /// The login the claims gave; empty when they gave none.
    pub login: String,
    /// The email address the claims gave; empty when they gave none.
    pub email: String,
    /// How the role came about.
    pub mapping: Mapping,
    /// What the login page says, when it was refused.
    pub refused: Option<String>,
}

/// The settings of the moment and the way to the provider that goes with them.
pub(super) struct Current {
    pub(super) settings: Settings,
    pub(super) provider: Provider,
    pub(super) sub_path: String,
}

impl Current {
    fn new(settings: Settings) -> Self {
        Self { provider: Provider::new(&settings), sub_path: settings.sub_path(), settings }
    }

    pub(super) fn cookies(&self) -> Options {
        let path = if self.sub_path.is_empty() { "/".to_owned() } else { self.sub_path.clone() };
        Options { path, secure: self.settings.cookie_secure }
    }

    /// A path of Grafana as browsers see it.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.sub_path)
    }
}

/// A browser's session.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) user: u64,
    pub(super) id_token: Option<String>,
    /// When the access token expires.
    pub(super) expires: Option<Instant>,
}

impl Session {
    /// The id token, as long as the access token that came with it is good.
    pub(super) fn id_token_hint(&self) -> Option<&str> {
        let good = self.expires.is_none_or(|expires| Instant::now() + LEEWAY < expires);
        self.id_token.as_deref().filter(|_| good)
    }
}

pub(super) struct State {
    pub(super) users: Users,
    pub(super) sessions: Bounded<Session>,
    errors: Bounded<String>,
    sign_ins: VecDeque<SignIn>,
}

impl State {
    fn new() -> Self {
        Self {
            users: Users::new(),
            sessions: Bounded::new(MAX_SESSIONS),
            errors: Bounded::new(MAX_ERRORS),
            sign_ins: VecDeque::new(),
        }
    }

    /// Opens a session and returns its token.
    pub(super) fn open(&mut self, session: Session) -> String {
        let token = hex(&rand::random::<[u8; 16]>());
        self.sessions.insert(token.clone(), session);
        token
    }

    /// Keeps an error for the login page; what it returns stands in the cookie, which only Grafana can read.
    pub(super) fn keep_error(&mut self, words: String) -> String {
        let sealed = hex(&rand::random::<[u8; 32]>());
        self.errors.insert(sealed.clone(), words);
        sealed
    }

    pub(super) fn take_error(&mut self, sealed: &str) -> Option<String> {
        self.errors.remove(sealed)
    }

    pub(super) fn remember(&mut self, sign_in: SignIn) {
        if self.sign_ins.len() == MAX_SIGN_INS {
            self.sign_ins.pop_front();
        }
        self.sign_ins.push_back(sign_in);
    }

    pub(super) fn sign_ins(&self) -> Vec<SignIn> {
        self.sign_ins.iter().cloned().collect()
    }
}

pub(super) struct Shared {
    current: RwLock<Arc<Current>>,
    state: Mutex<State>,
    /// `[security] secret_key`.
    pub(super) secret_key: String,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            current: RwLock::new(Arc::new(Current::new(settings))),
            state: Mutex::new(State::new()),
            secret_key: hex(&rand::random::<[u8; 16]>()),
        }
    }

    pub(super) fn current(&self) -> Arc<Current> {
        self.current.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    pub(super) fn replace(&self, settings: Settings) {
        let fresh = Arc::new(Current::new(settings));
        *self.current.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = fresh;
    }

    /// Forgets users, sessions, sign-ins, and what it has learnt of the provider.
    pub(super) fn forget(&self) {
        self.replace(self.current().settings.clone());
        *self.state() = State::new();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Who the session cookie stands for.
    pub(super) fn signed_in(&self, headers: &HeaderMap) -> Option<User> {
        let state = self.state();
        let session = state.sessions.get(cookies::read(headers, SESSION_COOKIE)?)?;
        state.users.get(session.user).cloned()
    }
}
