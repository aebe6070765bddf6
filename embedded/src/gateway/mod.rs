//! The gateway: Traefik's file provider, routers and middlewares on real sockets.
//!
//! It mirrors what was recorded of Traefik (`truth/traefik`). Known differences: bodies are read whole before they
//! are sent on, so lengths replace chunks; no `Accept-Encoding` is added; the texts of 400 and 431 answers to broken
//! requests are hyper's; plain HTTP on the TLS port is refused.

mod auth;
mod call;
mod forwarded;
mod handle;
mod hop;
mod location;
mod provider;
mod reply;
mod server;
mod settings;
mod steps;
mod upstream;
mod verify;

pub use provider::Rejected;
pub use server::Gateway;
pub use settings::{Settings, Trusted};
pub use verify::any_certificate;
