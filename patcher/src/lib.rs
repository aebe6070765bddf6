//! Puts the forward auth middleware on the routers of Traefik dynamic files: in place, keeping everything else as it
//! is written, whole or not at all, and again whenever a tool has rewritten a file.
//!
//! [`patch`] is the pure edit of one text, [`Folder`] applies it to the files of a folder, and [`watch`] does so
//! whenever they change.

mod diff;
mod edit;
mod name;
mod scope;

pub use diff::unified;
pub use edit::{Patched, Unpatched, patch};
pub use name::{BadName, MiddlewareName};
pub use scope::{BadHost, HostPattern, Scope};
