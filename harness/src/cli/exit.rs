//! What the process ends with.

use std::process::ExitCode;

/// The exit codes, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything that must hold, holds.
    Ok,
    /// 1: the harness itself broke.
    Internal,
    /// 2: the command line makes no sense.
    Usage,
    /// 3: a scenario or the deployment does not parse.
    Parse,
    /// 4: no case was selected.
    NothingSelected,
    /// 5: the stack failed to start.
    StackFailed,
    /// 100: a case failed.
    CaseFailed,
    /// 101: a case passed that is expected to fail.
    UnexpectedPass,
    /// 130: somebody pressed Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Parse => 3,
            Self::NothingSelected => 4,
            Self::StackFailed => 5,
            Self::CaseFailed => 100,
            Self::UnexpectedPass => 101,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
