//! Containers that a warm start does not wait for.

use std::sync::Arc;
use std::time::Duration;

use ssoproof_containers::{Component, Planned};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::reports::err;

/// The longest time that the end of a stack waits for containers that are being made, for Docker finishes one that
/// nobody asks for any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// Containers that start while the stack is in use already. Dropping it removes them.
#[derive(Clone, Default)]
pub(super) struct Late {
    names: Vec<&'static str>,
    starts: Arc<Mutex<JoinSet<Option<Component>>>>,
}

impl Late {
    /// Starts each, and says on standard error what keeps one from starting.
    pub(super) fn begin(planned: Vec<Planned>) -> Self {
        let names = planned.iter().map(Planned::name).collect();
        let starts = planned.into_iter().map(async |planned: Planned| {
            planned.start().await.inspect_err(|error| err(&format!("{error}\n"))).ok()
        });
        Self { names, starts: Arc::new(Mutex::new(starts.collect())) }
    }

    /// Their names in the stack.
    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Resolves once none is being made, so that a removal finds every one; those that have started are dropped.
    pub(super) async fn settle(&self) {
        let mut starts = self.starts.lock().await;
        let all = async { while starts.join_next().await.is_some() {} };
        if timeout(PATIENCE, all).await.is_err() {
            starts.shutdown().await;
        }
    }
}
