//! The runtime a recording is played on.

use std::future::Future;

/// Plays to the end.
///
/// # Panics
/// When no thread can be started.
pub(crate) fn block_on<F: Future>(play: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("threads can be started").block_on(play)
}
