//! What differs between two versions of a stack: the same cases on both, hop by hop, as behaviours with a severity.

mod align;
mod behaviour;
mod body;
mod compare;
mod html;
mod json;
mod known;
mod ledger;
mod normal;
mod record;
mod run;
mod saved;
mod severity;
mod side;
mod text;
mod timing;

pub use behaviour::{Behaviour, Example, Report, Verdict, report};
pub use compare::{Difference, Kind};
pub use html::page;
pub use json::document;
pub use known::Known;
pub use record::{CaseRecord, CookieRecord, HopRecord, Target};
pub use run::run;
pub use saved::{Run, SavedError, Versions, load, write};
pub use severity::Severity;
pub use side::{Side, SideError};
pub use text::{outline, text};
