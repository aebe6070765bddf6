//! The embedded Authentik with PostgreSQL as store: what outlives a process, and what happens without the database.

#[allow(dead_code, reason = "shared with the other Authentik tests, which use more of it")]
#[path = "../authentik/client.rs"]
mod client;
mod database;
#[allow(dead_code, reason = "shared with the OpenID Connect tests, which use more of it")]
#[path = "../oidc/gateway.rs"]
mod gateway;
mod persistence;
mod postgres;
#[allow(dead_code, reason = "shared with the replay of every recording, which uses more of it")]
#[path = "../truth/authentik/mod.rs"]
mod recorded;
#[allow(dead_code, reason = "shared with the replay of every recording, which uses more of it")]
#[path = "../truth/recording.rs"]
mod recording;
mod recordings;
mod server;
mod worker;
#[allow(dead_code, reason = "shared with the OpenID Connect tests, which use more of it")]
#[path = "../oidc/world.rs"]
mod world;
