//! Traefik dynamic files, read and merged as Traefik's file provider does, and what the routers in them do.

mod api;
mod config;
mod dynamic;
mod fields;
mod files;
mod middleware;
mod outline;
mod path;
mod pattern;
mod profile;
mod read;
mod rule;
#[cfg(test)]
mod tests;
mod tree;

pub use config::{
    EntryPoint, Middleware, Router, RuntimeConfig, Service, Status, Target, qualified, unqualified,
};
pub use dynamic::{
    At, Duplicate, Dynamic, ForwardAuth, HeaderEdits, LoadBalancer, MiddlewareDefinition, MiddlewareType,
    RedirectScheme, RouterDefinition, Server, ServiceDefinition, ServiceType, Tls, TransportDefinition,
    Unmodelled,
};
pub use files::{dynamic_files, dynamic_sources, is_dynamic_file};
pub use middleware::{Action, Step, canonical_header};
pub use outline::{Outline, OutlinedRouter, names};
pub use path::{encoded_path, forwarded_path, routing_path};
pub use profile::Profile;
pub use rule::{Headers, Network, RequestFacts, Rule, RuleError, Witness};
pub use tree::{Node, Value as NodeValue, parse as parse_tree};
