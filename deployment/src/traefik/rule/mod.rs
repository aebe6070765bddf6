//! Router rules, in the syntax of Traefik 3.

mod facts;
mod matcher;
mod parse;
mod syntax;
#[cfg(test)]
mod tests;
mod token;
mod witness;

pub use facts::{Headers, RequestFacts};
pub use matcher::Network;
pub use parse::{Rule, RuleError};
pub use witness::Witness;
