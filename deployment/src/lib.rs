//! What a single sign-on deployment promises: `deployment.yaml` and the Traefik dynamic files beside it.
//!
//! This crate reads files and nothing else: no sockets, no clocks, no globals.

pub mod traefik;
