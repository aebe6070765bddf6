//! Where routers stand in a YAML text, and how one is given a middleware there.

mod item;
mod layout;
mod list;
mod router;

pub(super) use layout::Layout;
