//! Reports: writers that listen to the events of a run.

mod all;
mod failure;
mod json;
mod junit;
mod measured;
mod memory;
mod terminal;

pub use all::Reports;
pub(crate) use all::write_private;
pub use failure::failure_text;
pub(crate) use terminal::{because, colours_on_stderr, colours_on_stdout, err, out};
