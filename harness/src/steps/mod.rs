//! The verbs: what a step does.

mod admin;
mod assume_role;
mod authorize;
mod component;
mod deploy;
mod fault;
mod figure;
mod request;
mod risk;
mod route;
mod s3;
mod seen;
mod sign_in;
mod sign_out;
mod step;
mod traefik_file;
mod use_file;
mod visit;
mod wait_until;
mod world;

pub use deploy::{Deployed, Exposure};
pub use fault::SwitchFault;
pub use figure::Figure;
pub use risk::{Risk, Severity};
pub use s3::S3;
pub use seen::{Refusal, S3Answer, Seen, TokenSet};
pub use step::{Capture, Parts, Step, StepError, StepFuture, Verb};
pub use use_file::Use;
pub use world::{ActorState, StsCredentials, World};
