//! Authentik: core sessions and flows, the OAuth2 provider, the embedded outpost and the REST API.
//!
//! Models the recorded behaviour of 2026.2; what other versions do differently is in [`Profile`].

mod api;
mod bootstrap;
mod bounds;
mod difference;
mod flows;
mod health;
mod key_pairs;
pub(crate) mod model;
pub(crate) mod oauth2;
mod outpost;
mod password;
mod profile;
mod rows;
mod server;
mod session;
mod shared;
mod state;
mod store;
mod table;
mod worker;
mod writer;

pub use profile::Profile;
pub use server::Authentik;
pub use shared::Settings;
pub use state::State;
pub use store::{Redis, Store, StoreError};
pub use worker::Worker;
