//! What every part of one Authentik shares.

use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::profile::Profile;
use super::state::State;
use super::store::Store;
use crate::logs::Logs;

/// How an Authentik starts.
pub struct Settings {
    /// The API token of `akadmin` (`AUTHENTIK_BOOTSTRAP_TOKEN`).
    pub bootstrap_token: String,
    /// The password of `akadmin` (`AUTHENTIK_BOOTSTRAP_PASSWORD`).
    pub bootstrap_password: String,
    /// The state to start with, as another Authentik had it; a fresh database otherwise.
    pub state: Option<State>,
    /// Where the state is kept; without, in memory.
    pub store: Option<Store>,
    /// `AUTHENTIK_SECRET_KEY`; a random one when it is empty.
    pub secret_key: Vec<u8>,
    /// The version to behave as.
    pub profile: Profile,
    /// Where its log goes.
    pub logs: Logs,
}

impl Settings {
    /// What session cookies are signed with.
    pub(crate) fn secret_key(&self) -> Vec<u8> {
        if self.secret_key.is_empty() { rand::random::<[u8; 32]>().to_vec() } else { self.secret_key.clone() }
    }
}

/// The state behind its lock, and what never changes while it runs.
pub(crate) struct Shared {
    state: RwLock<State>,
    pub(crate) profile: Profile,
    pub(crate) logs: Logs,
    /// Signs the session cookie; a copy of the state's, which never changes.
    pub(crate) secret_key: Vec<u8>,
    /// The address it listens on, as it names itself when nothing else is known (`127.0.0.1:9000`).
    pub(crate) listen: String,
}

impl Shared {
    pub(crate) fn new(state: State, profile: Profile, logs: Logs, listen: String) -> Self {
        let secret_key = state.secret_key.clone();
        Self { state: RwLock::new(state), profile, logs, secret_key, listen }
    }

    /// The state, to read. Hold it for one thought only: never across an await.
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The state, to change. Hold it for one thought only: never across an await.
    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
