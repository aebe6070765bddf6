//! The checks: what a step expects.

mod backend;
mod can;
mod claims;
mod cookies;
mod ends;
mod expect;
mod exposure;
mod header;
mod header_bytes;
mod hops;
mod html;
pub(crate) mod json;
mod limits;
mod loaded;
mod log;
mod loops;
mod patched;
mod policies;
mod refused;
mod role;
mod router;
mod url_match;

pub use expect::{Check, CheckFuture, Expect, Finding, run};
pub(crate) use patched::UNPATCHED;
