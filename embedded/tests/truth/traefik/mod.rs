//! Traefik with a scripted auth server, a backend and an outpost, as the gateway of each version.

#[path = "../../gateway/client.rs"]
mod client;
mod config;
mod data;
mod exchange;
mod live;
mod normal;
#[path = "../../gateway/stub.rs"]
mod stub;
#[path = "../../gateway/world.rs"]
mod world;

use crate::recording::{Played, Recording};

type Play = fn(&str, &str) -> Vec<Played>;

const RECORDINGS: [(&str, Play); 8] = [
    ("1-forwarded-headers", exchange::play),
    ("2-identity-headers", exchange::play),
    ("3-auth-answers", exchange::play),
    ("4-options", exchange::play),
    ("5-config", config::play),
    ("6-live", live::play),
    ("7-start", live::play),
    ("8-live-repeat", live::play),
];

/// Every recording of every version; the last was not made of 3.0.4.
pub(crate) fn recordings() -> Vec<Recording> {
    let recorded = |version, name| version != "3.0.4" || name != "8-live-repeat";
    let each = |version| RECORDINGS.into_iter().map(move |(name, play)| (version, name, play));
    let all = data::VERSIONS.into_iter().flat_map(each);
    all.filter(|(version, name, _)| recorded(*version, *name))
        .map(|(version, name, play)| recording(version, name, play))
        .collect()
}

fn recording(version: &'static str, name: &'static str, play: Play) -> Recording {
    Recording {
        program: "traefik",
        version: version.to_owned(),
        name: name.to_owned(),
        play: Box::new(move || play(version, name)),
    }
}
