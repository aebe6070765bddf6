//! Processes: being told to end, telling others to, and outliving a terminal.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::StackError;

/// Somebody asking this process to end, by SIGTERM or SIGINT. Once it is listened for, the kernel no longer ends the
/// process at either of them.
pub(crate) struct Interruption {
    terminate: Signal,
    interrupt: Signal,
}

impl Interruption {
    /// Listens from now on: what comes before it is waited for is heard too.
    ///
    /// # Errors
    /// When the kernel takes no handler.
    ///
    /// # Panics
    /// Outside a runtime.
    pub(crate) fn listen() -> Result<Self, StackError> {
        let listen = |kind| signal(kind).map_err(StackError::Signals);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Resolves once it has come.
    pub(crate) async fn came(&mut self) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
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
