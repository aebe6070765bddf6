//! `ssoproof explain loop`: whether a recording of a browser goes round, where, and why. Nothing of a recording is run
//! or sent.

pub mod causes;
mod cycle;
mod har;
mod report;
mod text;
mod urls;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::evidence::Hop;
pub use cycle::Round;

/// A browser's hops under a name.
#[derive(Clone, Debug)]
pub struct Trail {
    /// The recording's name: the page of a HAR, or the case of a report and its actor.
    pub name: String,
    /// The navigations, in order.
    pub hops: Vec<Hop>,
}

/// What a trail shows.
#[derive(Clone, Debug, Serialize)]
pub struct LoopExplanation {
    /// The recording's name.
    pub name: String,
    /// How many navigations it holds.
    pub hops: usize,
    /// The loop, when there is one.
    pub found: Option<Round>,
    /// The causes recognised, the most specific first.
    pub causes: Vec<Cause>,
}

/// A cause recognised in a trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Its code.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub title: String,
    /// What to do.
    pub help: String,
    /// The hop that shows it, from 0.
    pub hop: Option<usize>,
}

/// Reads the recording in `text`: a HAR, the report of `run --json`, one case of it, or a list of hops.
///
/// # Errors
/// Why it is none of these.
pub fn read(text: &str) -> Result<Vec<Trail>, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))?;
    if document.get("log").is_some() {
        return har::trails(&document);
    }
    report::trails(&document)
}

/// Explains a trail.
pub fn explain(trail: &Trail) -> LoopExplanation {
    let hops: Vec<&Hop> = trail.hops.iter().collect();
    let found = cycle::find(&hops);
    let mut seen = BTreeSet::new();
    let mut causes: Vec<Cause> =
        causes::ALL.iter().filter_map(|cause| (cause.examine)(&hops, found.as_ref())).collect();
    causes.retain(|cause| seen.insert(cause.code));
    LoopExplanation { name: trail.name.clone(), hops: hops.len(), found, causes }
}
