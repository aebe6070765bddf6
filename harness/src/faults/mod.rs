//! The suite under every fault: what it catches, what it takes for the cause, and what it would miss.

mod html;
mod json;
mod matrix;
mod reach;
mod run;
mod text;

pub use html::page;
pub use json::document;
pub use matrix::{Caught, Column, Matrix, Row, Tally};
pub use run::{FaultsError, Progress, run};
pub use text::{catalogue, text};
