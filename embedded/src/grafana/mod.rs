//! The embedded Grafana: sign-in by generic OAuth, role mapping, the parts of the API that show the role, and
//! sign-out. It follows the current source (12 and later) where no recording of a running one exists; the role
//! mapping follows `truth/jmespath`.

mod api;
mod call;
mod claims;
mod cookies;
mod login;
mod oauth;
pub mod orgs;
mod pages;
mod redirection;
pub mod role;
mod server;
mod settings;
mod shared;
mod trace;
mod users;

pub use claims::{checked, payload};
pub use server::Grafana;
pub use settings::{Redirection, Settings};
pub use shared::SignIn;
