//! The embedded outpost: forward auth for Traefik, nginx and Caddy.

pub(crate) mod answer;
pub(crate) mod cookie;
pub(crate) mod state_token;
