//! Services behind forward auth: each reports exactly what reached it.

mod arrived;
mod bridge;
mod read;
mod report;
mod server;

pub use arrived::Arrived;
pub use bridge::Bridge;
pub use server::{Probe, Settings};
