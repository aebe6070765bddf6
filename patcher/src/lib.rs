//! Puts the forward auth middleware on the routers of Traefik dynamic files: in place, keeping everything else as it
//! is written, whole or not at all, and again whenever a tool has rewritten a file.
//!
//! [`patch`] is the pure edit of one text, [`Folder`] applies it to the files of a folder, and [`watch`] does so
//! whenever they change.

mod diff;
mod edit;
mod folder;
mod journal;
mod metrics;
mod name;
mod place;
mod ready;
mod replace;
mod scope;
mod spare;
mod systemd;
mod watch;

pub use diff::unified;
pub use edit::{Patched, Unpatched, patch};
pub use folder::{Folder, Found, Left, Why};
pub use journal::{Entry, Event};
pub use metrics::Metrics;
pub use name::{BadName, MiddlewareName};
pub use place::{Read, ReadError};
pub use ready::tell_ready;
pub use replace::{Displaced, ReplaceError, Replaced, replace};
pub use scope::{BadHost, HostPattern, Scope};
pub use spare::Spare;
pub use systemd::Unit;
pub use watch::{Stop, Watch, WatchError};
