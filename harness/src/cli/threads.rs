//! The worker threads of a command.

use ssoproof_deployment::Problem;
use tokio::runtime::{Builder, Runtime};

use super::exit::Exit;
use super::place;

/// Starts a worker thread for every core.
pub(crate) fn worker_threads() -> Result<Runtime, Problem> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Problem::new(format!("failed to start worker threads: {error}")))
}

/// The same for a command; what the process ends with, once it was complained, otherwise.
pub(super) fn runtime() -> Result<Runtime, Exit> {
    worker_threads().map_err(|problem| place::refuse(problem, Exit::Internal))
}
