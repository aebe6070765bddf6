//! The in-process stack.

/// The in-process stack.
pub struct Embedded;
