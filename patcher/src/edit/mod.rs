//! The edit of one text.

mod patch;
mod splice;
mod toml;
mod verify;
mod yaml;

pub use patch::{Patched, Unpatched, patch};
