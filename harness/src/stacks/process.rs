//! Processes: being told to end, telling others to, and outliving a terminal.

use super::StackError;

/// Resolves when somebody asks this process to end.
pub(crate) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        }
        // Without handlers the kernel ends the process.
        _ => std::future::pending().await,
    }
}

/// Asks a process to end.
pub(crate) fn end(pid: u32) -> Result<(), StackError> {
    let failed = |reason: String| StackError::Lease(format!("failed to end process {pid}: {reason}"));
    let raw = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let pid = raw.ok_or_else(|| failed("it is no process".to_owned()))?;
    match rustix::process::kill_process(pid, rustix::process::Signal::TERM) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Makes this process survive the terminal it was started in.
pub(crate) fn leave_terminal() {
    // One that leads a group already is not bound to a terminal's.
    let _ = rustix::process::setsid();
}
