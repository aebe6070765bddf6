//! The in-process stack: a gateway that loads Traefik dynamic files, Authentik with its embedded outpost,
//! Grafana, MinIO and probe services, on real sockets and TLS over loopback.
//!
//! It is a test server: a claim about how the real programs answer, never a product to put users behind.

pub mod authentik;
mod bounded;
pub mod dial;
mod digest;
pub mod faults;
pub mod gateway;
pub mod grafana;
mod listen;
pub mod logs;
pub mod minio;
pub mod ports;
pub mod services;
