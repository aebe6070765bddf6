//! Providers: one table, seen as OAuth2 providers, as proxy providers and all together.

pub(super) mod all;
mod common;
pub(super) mod oauth2;
pub(super) mod proxy;

pub(super) use common::{base, plain};
