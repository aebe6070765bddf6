//! The worker threads of a command.

use ssoproof_deployment::Problem;
use tokio::runtime::{Builder, Runtime};

/// Starts a worker thread for every core.
pub(crate) fn worker_threads() -> Result<Runtime, Problem> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Problem::new(format!("failed to start worker threads: {error}")))
}
