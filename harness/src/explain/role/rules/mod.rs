//! The rules of the linter, by what they look at.

pub(super) mod claims;
pub(super) mod order;
pub(super) mod results;
pub(super) mod syntax;
