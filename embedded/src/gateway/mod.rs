//! The gateway: Traefik's file provider and forwardAuth, as recorded in `truth/traefik`.

mod answer;
mod backend;
mod call;
mod entry;
mod forward_auth;
mod links;
mod listener;
mod server;
mod settings;
mod shared;
mod upgrade;
mod watch;

pub use server::Gateway;
pub use settings::Settings;
