//! The suite under every fault: what it catches, what it takes for the cause, and what it would miss.

mod held;
mod html;
mod json;
mod later;
mod matrix;
mod reach;
mod routes;
mod run;
mod text;
mod trace;

pub use held::{Held, Lost, accept};
pub use html::page;
pub use json::document;
pub use matrix::{Caught, CheckId, Column, Matrix, Row, Tally};
pub use run::{FaultsError, Progress, Thoroughness, run};
pub use text::{Told, catalogue, text};
