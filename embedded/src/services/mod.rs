//! Probe services: what stands behind forward auth and reports exactly what arrived, one kind with the SvelteKit
//! header-to-cookie bridge.

mod arrived;
mod bridge;
mod environ;
mod folded;
mod probe;
mod report;
mod websocket;
mod wire;

pub use arrived::{Arrived, User, UserSource};
pub use bridge::Bridge;
pub use probe::{Probe, ProbeSettings};
