//! The embedded Authentik's OAuth2 provider and outpost answer as `truth/authentik` records the real ones.

#[allow(dead_code, reason = "shared with the other Authentik tests, which use more of it")]
#[path = "../authentik/client.rs"]
mod client;
mod compare;
mod gateway;
#[allow(dead_code, reason = "shared with the other Authentik tests, which use more of it")]
#[path = "../authentik/replay.rs"]
mod provisioning;
mod recordings;
mod versions;
#[allow(dead_code, reason = "shared with the store's tests, which use more of it")]
mod world;
