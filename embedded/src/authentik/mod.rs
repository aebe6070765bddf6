//! The embedded authentik.
