//! The embedded Authentik's OAuth2 provider and outpost: what other versions do, and what no recording shows.

#[allow(dead_code, reason = "shared with the other Authentik tests, which use more of it")]
#[path = "../authentik/client.rs"]
mod client;
mod gateway;
#[allow(dead_code, reason = "shared with the replay of every recording, which uses more of it")]
#[path = "../truth/authentik/mod.rs"]
mod recorded;
#[allow(dead_code, reason = "shared with the replay of every recording, which uses more of it")]
#[path = "../truth/recording.rs"]
mod recording;
mod versions;
#[allow(dead_code, reason = "shared with the store's tests, which use more of it")]
mod world;
