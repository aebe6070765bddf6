//! Log lines of the stack's components, kept in memory and bounded.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

/// How many lines are kept for each component.
const KEPT: usize = 2_000;

/// The log lines of every component of one stack. Clones share the same lines.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<BTreeMap<&'static str, VecDeque<String>>>>);

impl Logs {
    /// Adds a line to `component`'s log; the oldest line goes when 2,000 are kept.
    pub fn write(&self, component: &'static str, line: impl Into<String>) {
        let mut logs = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let lines = logs.entry(component).or_default();
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line.into());
    }

    /// The last `count` lines of `component`, oldest first; empty when it wrote none.
    pub fn tail(&self, component: &str, count: usize) -> Vec<String> {
        let logs = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        logs.get(component)
            .map(|lines| lines.iter().skip(lines.len().saturating_sub(count)).cloned().collect())
            .unwrap_or_default()
    }

    /// The names of the components that wrote at least one line.
    pub fn components(&self) -> Vec<&'static str> {
        let logs = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        logs.keys().copied().collect()
    }
}
