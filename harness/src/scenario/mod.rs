//! The scenario language: files, their matrix, and the cases they give.

mod case;
mod cast;
mod file;
mod given;
mod known;
mod library;
mod load;
mod planned;
mod schema;
mod scope;
mod text;
mod trouble;
mod values;

pub use case::{Actor, Case, PlannedStep, Scenario, by_scenario};
pub use file::{Axis, Matrix, ScenarioFile, StepsFile};
pub use given::{Given, GivenError};
pub use known::{CAUGHT, EXPECTED_FAILURES, entry};
pub use library::{LIBRARY, families, requirements};
pub use load::{Checked, LeftOut, Loaded, check, load, promise, read, read_library, scenario_files};
pub use schema::schema;
pub use scope::Scope;
pub use text::{Template, Text, TextError};
pub use values::values;
