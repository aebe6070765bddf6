//! MinIO with a scripted provider: the STS, what its credentials may do, start-up and both consoles.

mod answer;
mod client;
mod data;
mod idp;
mod play;
mod request;
mod scene;

use crate::recording::Recording;

/// MinIO of February 2026, and console 1.7.6 in front of it in the last recording.
const VERSION: &str = "2026-02";

const RECORDINGS: [&str; 15] = [
    "01-mc-admin",
    "02-groups-claim",
    "03-policy-lifecycle",
    "04-request-forms",
    "05-durations",
    "10-algs",
    "11-claims",
    "12-jwk-shapes",
    "13-rotation",
    "14-authentik-shapes",
    "20-claim-userinfo",
    "21-role-policy-and-config",
    "22-startup",
    "30-console-and-runtime-config",
    "31-old-console-1.7.6-sso",
];

/// Every recording.
pub(crate) fn recordings() -> Vec<Recording> {
    let recording = |name: &'static str| Recording {
        program: "minio",
        version: VERSION.to_owned(),
        name: name.to_owned(),
        play: Box::new(move || play::play(&data::read(VERSION, name))),
    };
    RECORDINGS.into_iter().map(recording).collect()
}
