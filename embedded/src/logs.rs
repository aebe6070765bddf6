//! Log lines of the stack's components, kept in memory and bounded.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

/// How many lines are kept for each component.
const KEPT: usize = 2_000;

/// The log lines of every component of one stack. Clones share the same lines.
#[derive(Clone, Default)]
pub struct Logs {
    kept: Arc<Mutex<BTreeMap<&'static str, VecDeque<String>>>>,
    told: Option<Arc<Listener>>,
}

/// Who hears a component's line as soon as it is written.
type Listener = dyn Fn(&'static str, &str) + Send + Sync;

impl Logs {
    /// Logs that also tell `listener` every line, with its component.
    pub fn told(listener: impl Fn(&'static str, &str) + Send + Sync + 'static) -> Self {
        Self { kept: Arc::default(), told: Some(Arc::new(listener)) }
    }

    /// Adds a line to `component`'s log; the oldest line goes when 2,000 are kept.
    pub fn write(&self, component: &'static str, line: impl Into<String>) {
        let line = line.into();
        if let Some(listener) = &self.told {
            listener(component, &line);
        }
        let mut logs = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let lines = logs.entry(component).or_default();
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The last `count` lines of `component`, oldest first; empty when it wrote none.
    pub fn tail(&self, component: &str, count: usize) -> Vec<String> {
        let logs = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        logs.get(component)
            .map(|lines| lines.iter().skip(lines.len().saturating_sub(count)).cloned().collect())
            .unwrap_or_default()
    }

    /// Forgets every line.
    pub fn clear(&self) {
        self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clear();
    }

    /// The names of the components that wrote at least one line.
    pub fn components(&self) -> Vec<&'static str> {
        let logs = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        logs.keys().copied().collect()
    }
}
