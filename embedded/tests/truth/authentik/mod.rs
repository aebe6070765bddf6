//! Authentik with its embedded outpost, behind a gateway or asked directly.
//!
//! `data/authentik` holds the recordings, one exchange a line; `read` says in what form. Every recording is played
//! against a fork of the state that the recorded set-up (`01` to `03`) leaves.

mod bindings;
mod compare;
mod echo;
mod fields;
pub(crate) mod play;
mod read;
mod stack;

use std::sync::Arc;

use ssoproof_embedded::authentik::Profile;

use crate::recording::Recording;

/// Every recording of every version.
pub(crate) fn recordings() -> Vec<Recording> {
    [Profile::V2025_8, Profile::V2025_12, Profile::V2026_2].into_iter().flat_map(of_version).collect()
}

fn of_version(profile: Profile) -> Vec<Recording> {
    let version = profile.version;
    let player = Arc::new(play::Player::new(profile));
    let recording = |name: String| {
        let (player, played) = (player.clone(), name.clone());
        Recording {
            program: "authentik",
            version: version.to_owned(),
            name,
            play: Box::new(move || player.play(&played)),
        }
    };
    read::names(version).into_iter().map(recording).collect()
}
