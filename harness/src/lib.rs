//! ssoproof: a compliance and end-to-end test harness for single sign-on with Traefik and Authentik.

pub mod agent;
pub mod checks;
pub mod cli;
pub mod diagnoses;
pub mod diff;
pub mod doctor;
pub mod evidence;
pub mod explain;
pub mod faults;
pub(crate) mod infer;
pub mod init;
pub mod provision;
pub mod reports;
pub mod routing;
pub mod runner;
pub mod scenario;
mod snapshot;
pub mod stacks;
pub mod steps;
pub mod suite;
