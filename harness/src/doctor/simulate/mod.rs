//! The embedded stack on which findings are tried: a gateway with the files that are looked at, an Authentik set up as
//! the deployment says, and a probe in place of every server. Nothing outside loopback is dialled. A real Traefik can
//! stand in for the gateway.

mod answer;
mod control;
mod front;
mod real_traefik;
mod upstreams;
mod world;

pub(super) use world::World;
