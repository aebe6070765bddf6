//! `ssoproof doctor`: what is wrong with the files of a deployment, each finding tried on the embedded stack.

mod blueprint;
mod claims;
mod examine;
mod finding;
mod grafana;
mod live;
mod minio;
mod proof;
mod providers;
mod redirects;
mod report;
mod rules;
mod settings;
mod simulate;
mod static_config;
mod subject;

pub use examine::{DoctorError, Examination, examine};
pub use finding::{Code, Finding, Outcome, Severity};
pub use live::LiveOptions;
pub(crate) use live::{Ask, pages};
pub use proof::{Asked, Proof, Shows, Way};
pub use report::{json, sarif, text};
pub use rules::codes;
pub use subject::{Inputs, Subject};
