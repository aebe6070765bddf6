//! The embedded MinIO: STS AssumeRoleWithWebIdentity, claim → policy, policy evaluation, a small signed S3 and
//! the console's login. A claim about the real program as recorded in `truth/minio`.

mod admin;
mod api;
mod auth;
pub mod builtin;
mod call;
pub mod claims;
mod console;
mod go;
mod grant;
mod iam;
mod keys;
mod oauth;
mod offline;
mod openid;
pub mod policy;
mod role;
mod s3;
mod s3error;
mod server;
mod settings;
mod shared;
mod sigv4;
mod store;
mod sts;
mod token;
mod xml;

pub use grant::{By, Grant};
pub use offline::{Request, check_jwks, check_providers, grant, verify};
pub use role::arn as role_arn;
pub use server::Minio;
pub use settings::{ConsoleVariant, OpenId, Settings};
