//! Traefik dynamic files: what the file provider makes of a folder, and which router takes a request.
//!
//! Mirrors Traefik 3.6.7 as recorded in `truth/traefik`; what other versions do differently is in [`Profile`].

mod config;
mod decode;
mod dynamic;
mod files;
mod path;
mod profile;
mod rule;
mod tree;

pub use config::{EntryPoint, Link, Router, Runtime};
pub use dynamic::{
    Definition, Duplicate, Dynamic, ForwardAuth, HeaderRules, Middleware, MiddlewareDefinition, Origin,
    RouterDefinition, ServiceDefinition,
};
pub use files::read;
pub use path::{routing_path, sanitised};
pub use profile::Profile;
pub use rule::{Facts, Rule, RuleError};
