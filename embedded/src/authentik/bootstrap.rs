//! What a fresh database holds.

use super::shared::Settings;
use super::state::State;

/// The state of an Authentik that has just run its migrations and default blueprints.
pub(crate) fn fresh(_settings: &Settings) -> State {
    State { secret_key: rand::random::<[u8; 32]>().to_vec(), ..State::default() }
}
