//! Running cases: verdicts, events, and who runs when.

mod case;
mod events;
mod outcome;
mod schedule;
mod select;
mod verdict;

pub use case::run_case;
pub(crate) use case::unsupported;
pub use events::{Event, Plan, Summary};
pub use outcome::{CaseOutcome, StepFinding, StepRisk};
pub use schedule::{Options, on_its_stack, run, usual_jobs};
pub use select::Selection;
pub use verdict::Verdict;
