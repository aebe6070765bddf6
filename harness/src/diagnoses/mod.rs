//! Diagnoses: the cause behind what is not as expected.

mod subject;

pub use subject::{Diagnosed, Diagnosis, Pointer, Subject};

/// Every diagnosis, the most specific cause first.
pub const ALL: &[&dyn Diagnosis] = &[];

/// The causes recognised in `subject`, the most specific first.
pub fn examine(subject: &Subject<'_>) -> Vec<Diagnosed> {
    ALL.iter().filter_map(|diagnosis| diagnosis.examine(subject)).collect()
}
